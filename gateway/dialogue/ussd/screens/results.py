"""My results: the caller's cases by their codes, one case, and what became of it.

Phones are shared, so the list shows code, date and state; what a leaf looked like is shown for one
case, after it was chosen or its code typed. A code opens its case on any phone (a borrowed one is
common, and the code was given to the farmer alone), but only the farmer's own number acts on it.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.agronomy import ADVISED
from gateway.cases import codes, life
from gateway.dialogue.ussd.engine import (
    Again,
    Go,
    Listing,
    Option,
    Prompt,
    Screen,
    Visit,
)
from gateway.dialogue.ussd.facts import (
    AskLater,
    CaseFacts,
    Effect,
    MarkRead,
    RecordOutcome,
    RequestOfficer,
    SendText,
)
from gateway.dialogue.ussd.screens.entry import MAIN
from gateway.dialogue.ussd.screens.officer import request

_WAITING: dict[str, str] = {
    life.RECEIVED: "ussd_case_waiting",
    life.PHOTO_REQUESTED: "ussd_case_second_photo",
}


def chosen_case(visit: Visit) -> CaseFacts | None:
    return visit.facts.case(visit["case"]) if visit["case"] else None


def _text(visit: Visit) -> str:
    return _of(visit, chosen_case(visit))


def _of(visit: Visit, case: CaseFacts | None) -> str:
    if case is None:
        return visit.say("ussd_case_gone")
    if case.state in life.IN_HAND:
        return visit.say(
            _with_whom(case),
            case=case.code,
            officer=case.officer,
            day=case.day,
            officer_phone=case.officer_phone,
        )
    if case.note:
        return visit.say_whole("ussd_case_officer_said", case=case.code, note=case.note)
    if _advised(case):
        return visit.say(f"ussd_{case.advice or case.label}", disease=case.label)
    return visit.say(_WAITING.get(case.state, "ussd_case_closed"), case=case.code)


def _with_whom(case: CaseFacts) -> str:
    if case.promised:
        return f"ussd_case_promised_{case.promised}"
    if not case.with_officer:
        return "ussd_case_no_officer"
    return "ussd_case_photo" if case.photo_wanted else "ussd_case_with_officer"


def _advised(case: CaseFacts | None) -> bool:
    if case is None or case.note or case.label not in ADVISED:
        return False
    return case.state in (life.ANSWERED, life.CLOSED)


def _has_advice(visit: Visit) -> bool:
    return _advised(chosen_case(visit))


def _news(visit: Visit) -> CaseFacts | None:
    code = visit.facts.news()
    return visit.facts.case(code) if code else None


def _is_read(case: CaseFacts | None) -> tuple[Effect, ...]:
    return (MarkRead(case.code),) if case and case.unread else ()


def _told(visit: Visit) -> bool:
    case = chosen_case(visit)
    return case is not None and case.mine and case.state in (life.ANSWERED, life.CLOSED)


def _was_told(visit: Visit) -> bool:
    """What it looks like, also where an officer has it by now."""
    case = chosen_case(visit)
    if case is None or not case.mine or case.label == "unknown":
        return _told(visit)
    return _told(visit) or case.state in life.IN_HAND


def _mine(visit: Visit) -> bool:
    case = chosen_case(visit)
    return case is not None and case.mine


def _ask(number: str, label: str, reason: str, when: Callable[[Visit], bool]) -> Option:
    def ask(visit: Visit) -> Go:
        return request(visit, RequestOfficer(reason, case=visit["case"]))

    return Option(number, label, "officer_requested", ask, also=("nobody_on_duty",), when=when)


def _ask_later(visit: Visit) -> Go:
    return Go("asked_later", effects=(AskLater(visit["case"]),))


def _row(visit: Visit, code: str) -> str:
    case = visit.facts.case(code)
    state = str(case.state) if case else str(life.CLOSED)
    if case and state in life.IN_HAND and not (case.with_officer or case.promised):
        state = "no_officer"
    day = case.opened.strftime("%d/%m") if case else ""
    return f"{code} {day} {visit.say(f'state_{state}')}"


def _read_code(visit: Visit, typed: str) -> Go | Again:
    try:
        code = codes.parse(typed)
    except codes.BadCode:
        return Again("ussd_bad_code")
    match visit.facts.look_up(code):
        case "too_often":
            return Again("ussd_codes_too_often")
        case "none":
            return Again("ussd_no_such_case")
    return Go("case", data={"case": code})


def _outcome(better: str) -> Option:
    def record(visit: Visit) -> Go:
        return Go("outcome_noted", effects=(RecordOutcome(visit["case"], better),))

    number = {"better": "1", "same": "2"}[better]
    return Option(number, f"option_{better}", "outcome_noted", record)


def _worse(visit: Visit) -> Go:
    """Thanks would help nobody: an officer takes the same case, with what is known of it."""
    to = "worse_officer" if visit.facts.on_duty() else "worse_nobody"
    ask = RequestOfficer("farmer_says_worse", case=visit["case"])
    return Go(to, effects=(RecordOutcome(visit["case"], "worse"), ask))


def _send_prevention(visit: Visit) -> Go:
    case = chosen_case(visit)
    if case is None or not _advised(case):
        return Go("case")
    return Go("sent_by_sms", effects=(SendText(f"prevent_{case.label}"),))


def _prevention(visit: Visit) -> str:
    case = chosen_case(visit)
    return visit.say(f"prevent_{case.label}" if case and _advised(case) else "ussd_case_gone")


SCREENS = [
    # The main menu with her news above it: the same numbers, so that a path dialled by heart, or
    # walked once more, means the same whether there is news or not.
    Screen(
        "news",
        lambda visit: _of(visit, _news(visit)),
        MAIN,
        home=True,
        shown=lambda visit: _is_read(_news(visit)),
    ),
    Screen(
        "results",
        lambda visit: visit.say("ussd_results" if visit.state.items else "ussd_no_results"),
        (Option("9", "option_by_code", "code"),),
        listing=Listing(
            values=lambda visit: [case.code for case in visit.facts.cases()],
            label=_row,
            chosen=lambda _, code: Go("case", data={"case": code}),
            leads=("case",),
        ),
        reading=True,
    ),
    Screen(
        "code",
        "ussd_code",
        prompt=Prompt(_read_code, ("case",), ("K7Q2M93",)),
    ),
    Screen(
        "case",
        _text,
        (
            Option("1", "option_next_season", "prevention", when=_has_advice),
            _ask("2", "option_officer", "farmer_asks", _mine),
            _ask("3", "option_wrong", "farmer_says_wrong", _was_told),
            Option("4", "option_outcome", "outcome", when=_told),
            Option("5", "option_ask_later", "asked_later", _ask_later, when=_told),
        ),
        shown=lambda visit: _is_read(chosen_case(visit)),
        reading=True,
    ),
    Screen(
        "prevention",
        _prevention,
        (
            Option(
                "1",
                "option_send_sms",
                "sent_by_sms",
                _send_prevention,
                also=("case",),
                when=_mine,
            ),
        ),
        reading=True,
    ),
    Screen(
        "outcome",
        "ussd_outcome",
        (
            _outcome("better"),
            _outcome("same"),
            Option("3", "option_worse", "worse_officer", _worse, also=("worse_nobody",)),
        ),
    ),
    Screen("outcome_noted", "ussd_outcome_noted", end=True),
    Screen("worse_officer", "ussd_worse_officer", end=True),
    Screen("worse_nobody", "ussd_worse_nobody", end=True),
    Screen("asked_later", "ussd_asked_later", end=True),
    Screen("sent_by_sms", "ussd_sent_by_sms", end=True),
]
