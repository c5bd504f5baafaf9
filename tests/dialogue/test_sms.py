"""Incoming SMS: done once, answered, and silent where silence is right."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from gateway.cases import codes, routing
from gateway.context import Context
from gateway.dialogue import gsm7
from gateway.dialogue.sms import Incoming, receive
from gateway.dialogue.ussd import answer, lint
from gateway.dialogue.ussd.phone import Phone
from gateway.people import farmers
from gateway.settings import Settings
from gateway.store.base import now
from gateway.store.models import Case, Event, Farmer, Label, Message
from rig import things as house
from tests.dialogue.conftest import FARMER, OFFICER, MakeCase, Outbox

Send = Callable[..., None]
_ids = itertools.count()


@pytest.fixture
def send(context: Context) -> Send:
    def deliver(text: str, phone: str = FARMER, id: str = "") -> None:
        at = datetime(2026, 11, 1, tzinfo=UTC)
        receive(context.dialogue, Incoming(id or f"id-{next(_ids)}", phone, text, at))

    return deliver


def farmer_of(context: Context) -> Farmer | None:
    with context.store.reading() as session:
        return farmers.find(session, FARMER)


def case_of(context: Context, code: str) -> Case:
    with context.store.reading() as session:
        return session.scalars(select(Case).where(Case.code == code)).one()


@pytest.fixture
def escalated(context: Context, make_case: MakeCase, officer: str, send: Send) -> str:
    """Code of a case that is with the officer."""
    code = make_case(state="answered", label="maize_rust", crop="maize")
    send(f"OFFICER {code}")
    return code


def test_a_message_delivered_again_counts_once(
    context: Context, send: Send, outbox: Outbox
) -> None:
    for _ in range(3):
        send("HELP", id="same")
    assert len(outbox()) == 1
    with context.store.reading() as session:
        kept = session.scalar(select(func.count(Message.id)).where(Message.direction == "in"))
    assert kept == 1


def test_stop_and_start(context: Context, send: Send, outbox: Outbox, known: str) -> None:
    send("Stop")
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.opted_out_at is not None
    assert outbox()[-1].startswith("STOP confirmed")
    send("what about my beans")
    assert len(outbox()) == 1
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.opted_out_at is not None
    send("HELP")
    assert "RESULT" in outbox()[-1]
    send("start")
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.opted_out_at is None


def test_stop_from_a_stranger_is_remembered(context: Context, send: Send, outbox: Outbox) -> None:
    send("ACHA")
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.opted_out_at is not None
    assert outbox()[-1].startswith("STOP imekubaliwa")


def test_unknown_texts_get_help_once_an_hour(send: Send, outbox: Outbox) -> None:
    with time_machine.travel(datetime(2026, 11, 1, 8, tzinfo=UTC)) as clock:
        for _ in range(5):
            send("hello there, what is this")
        assert len(outbox()) == 1
        clock.shift(3700)
        send("hello again")
    assert len(outbox()) == 2


def test_a_bot_that_answers_a_bot_is_cut_off(
    send: Send, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        send("HELP")
    assert len(outbox()) == 6
    assert "loop" in caplog.text
    assert FARMER not in caplog.text


def test_stop_works_even_when_replies_are_cut_off(context: Context, send: Send, known: str) -> None:
    for _ in range(10):
        send("HELP")
    send("STOP")
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.opted_out_at is not None


@pytest.mark.parametrize(
    ("state", "label", "words"),
    [
        ("answered", "bean_spot", "Bean angular leaf spot"),
        ("received", None, "no answer yet"),
        ("photo_requested", None, "Second photo needed"),
        ("escalated", None, "with an officer"),
        ("closed", None, "is closed"),
    ],
)
def test_result_by_code(
    send: Send, outbox: Outbox, make_case: MakeCase, state: str, label: str | None, words: str
) -> None:
    code = make_case(state=state, **({"label": label} if label else {}))
    send(f"result {code.lower()}")
    assert words in outbox()[-1]


def test_result_without_a_code(send: Send, outbox: Outbox, make_case: MakeCase) -> None:
    send("RESULT")
    assert "No case for this number" in outbox()[-1]
    first = make_case(state="answered", label="bean_spot")
    send("RESULT")
    assert "Bean angular leaf spot" in outbox()[-1]
    second = make_case()
    send("RESULT")
    assert f"{second} {first}" in outbox()[-1]


@pytest.mark.parametrize("text", ["RESULT {code}", "RESULT 12", "{code}"])
def test_a_code_that_is_none_of_ours(send: Send, outbox: Outbox, text: str) -> None:
    send(text.format(code=codes.new()))
    assert "no case with this code" in outbox()[-1]


def test_more_sends_prevention(send: Send, outbox: Outbox, make_case: MakeCase) -> None:
    make_case(state="answered", label="cassava_mosaic")
    send("More")
    assert "next planting" in outbox()[-1]


def test_language_by_sms(context: Context, send: Send, outbox: Outbox, known: str) -> None:
    send("LANG")
    assert "LANG EN" in outbox()[-1]
    send("lang Kiswahili")
    assert "Kiswahili" in outbox()[-1]
    farmer = farmer_of(context)
    assert farmer is not None
    assert farmer.language == "sw"


def test_an_officer_is_asked_for_only_with_consent(
    context: Context, send: Send, outbox: Outbox, officer: str
) -> None:
    send("AFISA")
    assert "Ridhaa yako" in outbox()[-1]
    assert farmer_of(context) is None


def test_an_officer_is_asked_for(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    assert case_of(context, escalated).state == "escalated"
    assert escalated in outbox(OFFICER)[-1]
    assert "Officer will call you" in outbox()[-1]


@pytest.mark.parametrize("text", ["{code} Bury the worst leaves", "{lower}: Bury the worst leaves"])
def test_officers_words_reach_the_farmer_in_one_message(
    context: Context, send: Send, outbox: Outbox, escalated: str, text: str
) -> None:
    send(text.format(code=escalated, lower=escalated.lower()), OFFICER)
    told = outbox()[-1]
    assert "Bury the worst leaves" in told
    assert escalated in told
    assert len(gsm7.parts(told)) == 1
    assert case_of(context, escalated).state == "closed"
    assert "closed" in outbox(OFFICER)[-1]


def test_a_long_answer_goes_out_whole_in_numbered_messages(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    before = len(outbox())
    words = "remove the sick leaves, bury them, and only then water the bed again; " * 4
    send(f"{escalated} {words}", OFFICER)
    parts = outbox()[before:]
    assert [part[:4] for part in parts] == ["1/3 ", "2/3 ", "3/3 "]
    assert all(OFFICER in part and escalated in part for part in parts)
    assert all(gsm7.septets(part) <= gsm7.SINGLE for part in parts)
    said = " ".join(part.split(f"case {escalated}: ")[1] for part in parts)
    assert said == words.strip()
    with context.store.reading() as session:
        keys = select(Message.key).where(Message.template == "officer_words").order_by(Message.id)
        first, *others = session.scalars(keys)
    assert others == [f"{first}:2", f"{first}:3"]
    assert "in 3 SMS" in outbox(OFFICER)[-1]
    send(f"RESULT {escalated}")
    again = " ".join(text.split(f"case {escalated}: ")[1] for text in outbox()[-3:])
    assert again == words.strip()


def test_what_no_three_messages_carry_is_refused_with_how_much_fits(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    before, words = len(outbox()), "count the plants that look so, row by row, " * 9
    send(f"{escalated} {words}", OFFICER)
    assert outbox()[before:] == []
    (fits,) = re.findall(r"NOT sent. (\d+) of your", outbox(OFFICER)[-1])
    assert case_of(context, escalated).state == "escalated"
    send(f"{escalated} {words[: int(fits)]}", OFFICER)
    assert len(outbox()[before:]) == 3


def test_the_rest_of_an_answer_is_no_answer_to_another_case(
    context: Context, send: Send, outbox: Outbox, escalated: str, make_case: MakeCase
) -> None:
    other = make_case("+250788000005", state="answered", label="bean_spot", crop="beans")
    send(f"OFFICER {other}", "+250788000005")
    with time_machine.travel(datetime(2030, 11, 1, 8, tzinfo=UTC), tick=False) as clock:
        send(f"{escalated} Bury all of the leaves that have", OFFICER)
        clock.shift(20)
        send("brown powder on both sides", OFFICER)
        assert "brown powder" in outbox()[-1]
        assert "more of your answer" in outbox(OFFICER)[-1]
        clock.shift(200)
        send("and keep the goats out.", OFFICER)
        assert "keep the goats out" in outbox()[-1]
        clock.shift(200)
        send("Take no seed of it this year", OFFICER)
        assert "just answered?" in outbox(OFFICER)[-1]
        assert other in outbox(OFFICER)[-1]
        assert "Take no seed" not in outbox()[-1]
        assert case_of(context, other).state == "escalated"
        send("yes", OFFICER)
        assert "Take no seed" in outbox()[-1]
        clock.shift(700)
        send("Keep the pods dry", OFFICER)
        assert "Keep the pods dry" in outbox("+250788000005")[-1]
    send(f"RESULT {escalated}")
    assert any("keep the goats out. Take" in text for text in outbox()[-2:])


@pytest.mark.parametrize("text", ["UNDO", "{code} undo please", "annuler", "tengua"])
@pytest.mark.parametrize("left", [False, True])
def test_an_answer_is_taken_back(
    context: Context, send: Send, outbox: Outbox, escalated: str, text: str, *, left: bool
) -> None:
    before = len(outbox())
    with time_machine.travel(datetime(2030, 11, 1, 8, tzinfo=UTC), tick=False) as clock:
        send(f"{escalated} OK blight", OFFICER)
        with context.store.transaction() as session:
            sent = session.scalars(
                select(Message).where(Message.template == "officer_closing")
            ).one()
            assert sent.not_before == datetime(2030, 11, 1, 8, 2, tzinfo=UTC)
            if left:
                sent.state = "sent"
        clock.shift(60)
        send(text.format(code=escalated), OFFICER)
        assert "open again" in outbox(OFFICER)[-1]
        assert case_of(context, escalated).state == "accepted"
        assert len(outbox()) - before == 1 + left
        if left:
            assert "do NOT follow" in outbox()[-1]
        with context.store.reading() as session:
            state = session.scalar(
                select(Message.state).where(Message.template == "officer_closing")
            )
        assert state == ("sent" if left else "cancelled")
        send(f"{escalated} OK rust", OFFICER)
        assert "common rust" in outbox()[-1]
        clock.shift(301)
        send("UNDO", OFFICER)
        assert "no answer to take back" in outbox(OFFICER)[-1]
    assert case_of(context, escalated).state == "closed"


def test_a_product_goes_out_with_the_safety_words_once_it_is_meant(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    before = len(outbox())
    send(f"{escalated} Spray copper oxychloride when it is dry", OFFICER)
    assert "safety words" in outbox(OFFICER)[-1]
    assert len(outbox()) == before
    send("yes please", OFFICER)
    told = outbox()[before:]
    assert "copper oxychloride" in told[0]
    assert "Gloves, mask" in told[1]
    with context.store.reading() as session:
        (marked,) = session.scalars(select(Event).where(Event.kind == "product_named"))
    assert marked.data == {"named": ["copper oxychloride"]}


def test_a_question_is_relayed_when_the_officer_says_so(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    send("Which variety did you plant?", OFFICER)
    assert "Is this advice?" in outbox(OFFICER)[-1]
    assert case_of(context, escalated).state == "escalated"
    send("oui", OFFICER)
    assert "Which variety did you plant?" in outbox()[-1]


def test_an_officer_on_leave_gets_no_case_until_it_ends(
    context: Context, send: Send, officer: str, make_case: MakeCase
) -> None:
    with time_machine.travel(datetime(2026, 11, 28, 8, tzinfo=UTC), tick=False) as clock:
        send("OFF until 5 Dec", OFFICER)
        with context.store.reading() as session:
            assert routing.choose(session, None, "en") is None
        clock.move_to(datetime(2026, 12, 6, 0, 1, tzinfo=context.desk.zone))
        with context.store.reading() as session:
            assert routing.choose(session, None, "en") is not None


def test_typography_is_folded_and_other_letters_refused_by_name(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    send(f"{escalated} ሰላም", OFFICER)
    assert "NOT sent" in outbox(OFFICER)[-1]
    assert "ETHIOPIC SYLLABLE SA" in outbox(OFFICER)[-1]
    assert case_of(context, escalated).state == "escalated"
    send(f"{escalated} “Don’t” spray…", OFFICER)
    assert '"Don\'t" spray...' in outbox()[-1]


@pytest.mark.parametrize(
    "text",
    ["{code} OK rust", "ok RUST", "{code} ok umugese", "OK", "#{code} OK rust", "({code}) OK",
     "*{code}# ok rust", '"{code}" ok'],
)  # fmt: skip
def test_ok_with_a_label_answers_in_the_farmers_language(
    context: Context, send: Send, outbox: Outbox, escalated: str, text: str
) -> None:
    send("LANG RW")
    send(text.format(code=escalated), OFFICER)
    assert "Birasa n'umugese" in outbox()[-1]
    assert case_of(context, escalated).state == "closed"
    with context.store.reading() as session:
        assert session.scalars(select(Label)).all() == []  # the case has no photo


def test_ok_with_an_unknown_label_asks_which(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    send(f"{escalated} OK weevils", OFFICER)
    assert "RUST, BLIGHT" in outbox(OFFICER)[-1]
    assert case_of(context, escalated).state == "escalated"


@pytest.mark.parametrize("text", ["{code} ?", "{code}", "?"])
def test_a_question_mark_shows_the_case(
    send: Send, outbox: Outbox, escalated: str, text: str
) -> None:
    send(text.format(code=escalated), OFFICER)
    assert FARMER in outbox(OFFICER)[-1]
    assert "maize" in outbox(OFFICER)[-1]


def test_without_a_code_the_only_open_case_is_meant(
    send: Send, outbox: Outbox, escalated: str
) -> None:
    send("Stop spraying and bury the leaves", OFFICER)
    assert "Stop spraying and bury the leaves" in outbox()[-1]


def test_two_open_cases_and_no_code_asks_which(
    context: Context, send: Send, outbox: Outbox, escalated: str, make_case: MakeCase
) -> None:
    other = make_case("+250788000005", state="answered", label="bean_spot")
    send(f"OFFICER {other}", "+250788000005")
    before = len(outbox())
    send("Bury the leaves", OFFICER)
    assert "Which case?" in outbox(OFFICER)[-1]
    assert escalated in outbox(OFFICER)[-1]
    assert other in outbox(OFFICER)[-1]
    assert len(outbox()) == before


def test_a_mistyped_code_is_not_relayed_as_words(
    send: Send, outbox: Outbox, escalated: str
) -> None:
    before = len(outbox())
    send("23K7Q2M bury the leaves", OFFICER)
    assert "Which case?" in outbox(OFFICER)[-1]
    assert len(outbox()) == before


def test_one_word_behind_a_code_is_relayed_when_it_is_meant(
    send: Send, outbox: Outbox, escalated: str
) -> None:
    send(f"{escalated} Mort", OFFICER)
    assert "Mort" not in outbox()[-1]
    send("YES", OFFICER)
    assert "Mort" in outbox()[-1]


@pytest.mark.parametrize(
    "text",
    ["LANG FR", "LANGUAGE EN", "LANG", "MORE", "RESULT", "OFFICER", "thanks", "{code} RESULT",
     "Case K7Q2M9Z: uproot all and burn"],
)  # fmt: skip
def test_what_is_no_answer_is_never_relayed(
    context: Context, send: Send, outbox: Outbox, escalated: str, text: str
) -> None:
    before = len(outbox())
    send(text.format(code=escalated), OFFICER)
    assert len(outbox()) == before
    assert case_of(context, escalated).state == "escalated"
    assert len(outbox(OFFICER)) == 2


def test_an_officer_chooses_a_language(
    context: Context, send: Send, outbox: Outbox, officer: str
) -> None:
    send("LANG FR", OFFICER)
    send("HELP", OFFICER)
    assert outbox(OFFICER)[-1].startswith("Répondre")


def test_a_code_in_pieces_is_the_code(
    context: Context, send: Send, outbox: Outbox, escalated: str, make_case: MakeCase
) -> None:
    closed = make_case("+250788000005", state="closed")
    before = len(outbox())
    send(f"{closed[:3]} {closed[3:]} Please bring a leaf", OFFICER)
    assert "not open with you" in outbox(OFFICER)[-1]
    assert len(outbox()) == before
    send(f"{escalated[:3]} {escalated[3:]} Please bring a leaf", OFFICER)
    assert "Please bring a leaf" in outbox()[-1]


def test_ok_and_a_label_on_two_lines(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    send(f"{escalated}\nOK\nblight", OFFICER)
    assert case_of(context, escalated).state == "closed"
    assert "OK" not in outbox()[-1]
    assert "blight" in outbox()[-1]


def test_more_never_contradicts_the_officer(send: Send, outbox: Outbox, escalated: str) -> None:
    send(f"{escalated} OK blight", OFFICER)
    send("MORE")
    assert "rust" not in outbox()[-1]
    assert "blight" in outbox()[-1]


def test_asking_for_an_officer_twice_is_answered_twice(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    before = len(outbox(OFFICER))
    send(f"OFFICER {escalated}")
    assert "is with an officer" in outbox()[-1]
    assert len(outbox(OFFICER)) == before


def test_asking_twice_while_nobody_is_on_duty(
    send: Send, outbox: Outbox, make_case: MakeCase
) -> None:
    code = make_case(state="answered", label="maize_rust", crop="maize")
    for _ in range(2):
        send(f"OFFICER {code}")
    assert [text.startswith("No officer on duty") for text in outbox()] == [True, True]


def test_a_case_of_somebody_else_or_answered_is_refused(
    send: Send, outbox: Outbox, escalated: str, make_case: MakeCase
) -> None:
    foreign = make_case("+250788000005")
    send(f"{foreign} some words", OFFICER)
    assert "not open with you" in outbox(OFFICER)[-1]
    send(f"{escalated} some words", OFFICER)
    send(f"{escalated} more words", OFFICER)
    assert "not open with you" in outbox(OFFICER)[-1]
    assert sum("words" in text for text in outbox()) == 1


def test_an_officer_without_open_cases(send: Send, outbox: Outbox, officer: str) -> None:
    send("good morning", OFFICER)
    assert "no open case" in outbox(OFFICER)[-1]
    send("HELP", OFFICER)
    assert "To answer" in outbox(OFFICER)[-1]


def test_a_fault_of_ours_keeps_the_message(
    context: Context, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.dialogue.sms.inbox.Vocabulary.of", lambda _: 1 / 0)
    send("HELP", id="once")
    with context.store.reading() as session:
        kept = session.scalars(select(Message)).one()
    assert (kept.text, kept.outcome) == ("HELP", "error")


def test_both_kinds_of_store(any_context: Context) -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    message = Incoming("id-pg", FARMER, "STOP", at)
    receive(any_context.dialogue, message)
    receive(any_context.dialogue, replace(message, text="START"))
    with any_context.store.reading() as session:
        farmer = farmers.find(session, FARMER)
    assert farmer is not None
    assert farmer.opted_out_at is not None


def test_help_says_what_it_costs_where_that_is_known(settings: Settings) -> None:
    more = {"farmer_sms_cost": "10 RWF", "farmer_dial_cost": "0 RWF"}
    context = Context.open(settings.model_copy(update=more))
    try:
        receive(context.dialogue, Incoming("c1", FARMER, "HELP", now()))
        with context.store.reading() as session:
            query = select(Message).where(Message.direction == "out").order_by(Message.id)
            texts = [str(row.text) for row in session.scalars(query)]
        assert len(texts) == 2
        assert "an SMS to Leafline 10 RWF" in texts[1]
        house.farmer(context.store)
        code = context.settings.ussd_code
        phone = Phone(lambda asked: answer(context.ussd, asked).body, FARMER, code=code)
        phone.dial().answer("8").answer("98").expect("SMS costs 10 RWF, dialling 0 RWF")
        assert lint.check(context.ussd.menu) == []
    finally:
        context.close()
