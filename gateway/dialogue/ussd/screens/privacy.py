"""Stop messages, take consent back, see and delete what we hold.

Taking consent back is as easy as giving it: one number. Deleting asks for a code that is sent to
the phone by SMS, because a caller's number is only a claim, and codes of cases are on the menu.
"""

from __future__ import annotations

from gateway.dialogue.ussd.engine import Again, Go, Option, Prompt, Screen, Visit, as_number
from gateway.dialogue.ussd.facts import (
    AllowTraining,
    Erase,
    OptIn,
    OptOut,
    SendErasureCode,
    WithdrawConsent,
)


def _known(visit: Visit) -> bool:
    return visit.facts.farmer() is not None


def _opted_out(visit: Visit) -> bool:
    farmer = visit.facts.farmer()
    return farmer is not None and farmer.opted_out


def _stopped(visit: Visit) -> bool:
    return not _opted_out(visit)


def _consented(visit: Visit) -> bool:
    farmer = visit.facts.farmer()
    return farmer is not None and farmer.consented


def _holds(visit: Visit) -> str:
    farmer = visit.facts.farmer()
    if farmer is None:
        return visit.say("ussd_hold_nothing")
    return visit.say("ussd_hold", number=min(visit.facts.stored(), 99))


def _delete(visit: Visit) -> Go:
    if not visit.facts.stored():
        return Go("delete_confirm")
    return Go("delete_code", effects=(SendErasureCode(),))


def _read_code(visit: Visit, typed: str) -> Go | Again:
    match visit.facts.erasure_code(as_number(typed)):
        case "right":
            return Go("delete_confirm")
        case "too_often":
            return Again("ussd_codes_too_often")
    return Again("ussd_bad_code")


SCREENS = [
    Screen(
        "privacy",
        "ussd_privacy",
        (
            Option(
                "1",
                "option_stop",
                "stopped",
                lambda _: Go("stopped", effects=(OptOut(),)),
                when=_stopped,
            ),
            Option(
                "2",
                "option_start",
                "started",
                lambda _: Go("started", effects=(OptIn(),)),
                when=_opted_out,
            ),
            Option("3", "option_withdraw", "withdraw_confirm", when=_consented),
            Option("4", "option_hold", "hold"),
            Option(
                "5", "option_delete", "delete_confirm", _delete, also=("delete_code",), when=_known
            ),
            Option("6", "option_training", "training", when=_consented),
        ),
    ),
    Screen("stopped", "ussd_stopped", end=True),
    Screen("started", "ussd_started", end=True),
    Screen(
        "withdraw_confirm",
        "ussd_withdraw_confirm",
        (
            Option(
                "1",
                "option_yes",
                "withdrawn",
                lambda _: Go("withdrawn", effects=(WithdrawConsent(),)),
            ),
            Option("2", "option_no", "main", lambda _: Go("main", forget=True)),
        ),
    ),
    Screen("withdrawn", "ussd_withdrawn", end=True),
    Screen(
        "training",
        "ussd_training",
        (
            Option(
                "1",
                "option_yes",
                "training_set",
                lambda _: Go("training_set", effects=(AllowTraining(True),)),
            ),
            Option(
                "2",
                "option_no",
                "training_set",
                lambda _: Go("training_set", effects=(AllowTraining(False),)),
            ),
        ),
    ),
    Screen("training_set", "ussd_training_set", end=True),
    Screen(
        "hold",
        _holds,
        (
            Option(
                "1", "option_delete", "delete_confirm", _delete, also=("delete_code",), when=_known
            ),
        ),
        reading=True,
    ),
    Screen(
        "delete_code",
        "ussd_delete_code",
        prompt=Prompt(_read_code, ("delete_confirm",), ("12345",), counted=True),
    ),
    Screen(
        "delete_confirm",
        "ussd_delete_confirm",
        (
            Option("1", "option_yes", "deleted", lambda _: Go("deleted", effects=(Erase(),))),
            Option("2", "option_no", "main", lambda _: Go("main", forget=True)),
        ),
        unread=lambda _: True,
    ),
    Screen("deleted", "ussd_deleted", end=True),
]
