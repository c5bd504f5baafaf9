"""Stop messages, take consent back, see and delete what we hold.

Taking consent back is as easy as giving it: one number. Deleting asks for the code of one of the
caller's cases, because a caller's number is only a claim.
"""

from __future__ import annotations

from gateway.cases import codes
from gateway.dialogue.ussd.engine import Again, Go, Option, Prompt, Screen, Visit
from gateway.dialogue.ussd.facts import AllowTraining, Erase, OptIn, OptOut, WithdrawConsent


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
    return Go("delete_code" if visit.facts.stored() else "delete_confirm")


def _read_code(visit: Visit, typed: str) -> Go | Again:
    try:
        case = visit.facts.case(codes.parse(typed))
    except codes.BadCode:
        return Again("ussd_bad_code")
    return Go("delete_confirm") if case and case.mine else Again("ussd_no_such_case")


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
    ),
    Screen(
        "delete_code",
        "ussd_delete_code",
        prompt=Prompt(_read_code, ("delete_confirm",), ("K7Q2M93",)),
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
