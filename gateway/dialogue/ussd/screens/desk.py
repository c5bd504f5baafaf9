"""The officer's desk: open cases, accept, answer, hand over, duty. Behind a number and a PIN."""

from __future__ import annotations

from gateway.agronomy import products
from gateway.agronomy.table import DESK_CALL, DESK_OTHER, DESK_VISIT, DISEASE_ROWS
from gateway.cases import life
from gateway.dialogue import advice, promises
from gateway.dialogue.ussd.engine import (
    ANSWER_LIMIT,
    Again,
    Go,
    Listing,
    Option,
    Prompt,
    Screen,
    Visit,
    as_number,
)
from gateway.dialogue.ussd.facts import (
    AcceptCase,
    AnswerCase,
    AnswerInWords,
    AskPhoto,
    CaseFacts,
    HandOver,
    SetDuty,
)
from gateway.dialogue.ussd.screens.entry import farmers_first


def _pin_needed(visit: Visit) -> str:
    if visit.facts.officer() is None:
        return "not_an_officer"
    return "" if visit["pin"] == "ok" else "officer_pin"


def _read_pin(visit: Visit, typed: str) -> Go | Again:
    if visit.facts.officer() is None:
        return Go("not_an_officer")
    match visit.facts.pin(as_number(typed)):
        case "right":
            return Go("desk", data={"pin": "ok"}, forget=True)
        case "locked":
            return Go("pin_locked")
    return Again("ussd_wrong_pin")


def _as_farmer(visit: Visit) -> Go:
    return Go(farmers_first(visit.facts), forget=True)


_FARMERS = ("language_first", "consent", "news")


def _case(visit: Visit) -> CaseFacts | None:
    return next((case for case in visit.facts.desk() if case.code == visit["case"]), None)


def _row(visit: Visit, code: str) -> str:
    case = next((case for case in visit.facts.desk() if case.code == code), None)
    crop = visit.say(f"crop_{case.crop}") if case else ""
    return f"{code} {crop}"


def _details(visit: Visit) -> str:
    case = _case(visit)
    if case is None:
        return visit.say("ussd_case_gone")
    said = visit.say(
        "ussd_desk_case",
        case=case.code,
        crop=case.crop,
        finding=case.finding,
        why=case.why,
        told=case.told,
        phone=case.phone,
        where=case.place,
    )
    return f"{said}\n{case.seen}" if case.seen else said


def _waits(visit: Visit) -> bool:
    return _case(visit) is not None


def _not_accepted(visit: Visit) -> bool:
    case = _case(visit)
    return case is not None and case.state == life.ESCALATED


def _answer(number: int, note: str, label: str) -> Option:
    def answer(visit: Visit) -> Go:
        done = AnswerCase(visit["case"], note, label)
        said = "ussd_promise_sent" if promises.how("", note) else "ussd_answer_sent"
        return Go("desk", effects=(done,), note=said, forget=True)

    def of_this_crop(visit: Visit) -> bool:
        case = _case(visit)
        return not label or case is None or label in case.choices

    return Option(str(number), f"option_{note}", "desk", answer, when=of_this_crop)


def _answers() -> tuple[Option, ...]:
    said = [(row.desk, f"note_{row.label}", row.label) for row in DISEASE_ROWS]
    said += [(DESK_VISIT, "note_visit", ""), (DESK_CALL, "note_call", "")]
    other = Option(str(DESK_OTHER), "option_something_else", "desk_other")
    return (*(_answer(*one) for one in sorted(said)), other)


def _in_words(visit: Visit, typed: str) -> Go | Again:
    """The officer's own words. What may have been cut on its way here is not sent."""
    if len(typed) >= ANSWER_LIMIT - 1:
        return Again("ussd_desk_too_long")
    try:
        words = advice.tidy(typed)
        advice.split(visit.texts, words)
    except advice.BadNote:
        return Again("ussd_desk_bad_words")
    if len(words.split()) < 2:
        return Again("ussd_desk_bad_words")
    if products.found(words):
        return Go("desk_safety", data={"words": words})
    return _send(visit, words, safe=False)


def _send(visit: Visit, words: str, *, safe: bool) -> Go:
    done = AnswerInWords(visit["case"], words, safe)
    note = "ussd_promise_sent" if promises.how(words) else "ussd_answer_sent"
    return Go("desk", effects=(done,), note=note, forget=True)


def _hand_over(visit: Visit) -> Go:
    if not visit.facts.colleague(visit["case"]):
        return Go("desk", note="ussd_no_colleague", forget=True)
    done = (HandOver(visit["case"]),)
    return Go("desk", effects=done, note="ussd_handed_over", forget=True)


def _on_duty(visit: Visit) -> bool:
    officer = visit.facts.officer()
    return officer is not None and officer.on_duty


def _off_duty(visit: Visit) -> bool:
    return not _on_duty(visit)


SCREENS = [
    Screen(
        "officer_pin",
        "ussd_officer_pin",
        (Option("1", "option_as_farmer", "main", _as_farmer, also=_FARMERS),),
        prompt=Prompt(
            _read_pin, ("desk", "pin_locked", "not_an_officer"), ("12345",), counted=True
        ),
        home=True,
    ),
    Screen("pin_locked", "ussd_pin_locked", end=True),
    Screen("not_an_officer", "ussd_not_an_officer", end=True),
    Screen(
        "desk",
        "ussd_desk",
        (
            Option("1", "option_open_cases", "desk_cases"),
            Option(
                "2",
                "option_off_duty",
                "desk",
                lambda _: Go("desk", effects=(SetDuty(False),), note="ussd_duty_off", forget=True),
                when=_on_duty,
            ),
            Option(
                "3",
                "option_on_duty",
                "desk",
                lambda _: Go("desk", effects=(SetDuty(True),), note="ussd_duty_on", forget=True),
                when=_off_duty,
            ),
            Option("4", "option_as_farmer", "main", _as_farmer, also=_FARMERS),
        ),
        guard=_pin_needed,
        guards=("officer_pin", "not_an_officer"),
    ),
    Screen(
        "desk_cases",
        lambda visit: visit.say("ussd_desk_cases" if visit.state.items else "ussd_desk_empty"),
        listing=Listing(
            values=lambda visit: [case.code for case in visit.facts.desk()],
            label=_row,
            chosen=lambda _, code: Go("desk_case", data={"case": code}),
            leads=("desk_case",),
        ),
        guard=_pin_needed,
        guards=("officer_pin", "not_an_officer"),
    ),
    Screen(
        "desk_case",
        _details,
        (
            Option(
                "1",
                "option_accept",
                "desk_case",
                lambda visit: Go(
                    "desk_case", effects=(AcceptCase(visit["case"]),), note="ussd_accepted"
                ),
                when=_not_accepted,
            ),
            Option("2", "option_answer", "desk_answer", when=_waits),
            Option(
                "3",
                "option_hand_over",
                "desk",
                _hand_over,
                when=_waits,
            ),
            Option(
                "4",
                "option_ask_photo",
                "desk",
                lambda visit: Go(
                    "desk",
                    effects=(AskPhoto(visit["case"]),),
                    note="ussd_photo_asked",
                    forget=True,
                ),
                when=_waits,
            ),
        ),
        guard=_pin_needed,
        guards=("officer_pin", "not_an_officer"),
        reading=True,
    ),
    Screen(
        "desk_answer",
        "ussd_desk_answer",
        _answers(),
        guard=_pin_needed,
        guards=("officer_pin", "not_an_officer"),
    ),
    Screen(
        "desk_other",
        "ussd_desk_other",
        prompt=Prompt(
            _in_words, ("desk", "desk_safety"), ("Bury the sick leaves", "Spray mancozeb")
        ),
        guard=_pin_needed,
        guards=("officer_pin", "not_an_officer"),
    ),
    Screen(
        "desk_safety",
        "ussd_desk_safety",
        (
            Option(
                "1",
                "option_safety",
                "desk",
                lambda visit: _send(visit, visit["words"], safe=True),
            ),
            Option("2", "option_without", "desk_other"),
        ),
        guard=_pin_needed,
        guards=("officer_pin", "not_an_officer"),
    ),
]
