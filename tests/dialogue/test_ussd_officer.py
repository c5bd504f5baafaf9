"""The officer's desk: number and PIN, cases, answers, duty."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from gateway.cases import escalation
from gateway.context import Context
from gateway.people import farmers, officers
from gateway.people.lockout import Locked, Place, at_address
from gateway.store.models import Case, Label, Officer, Photo
from tests.dialogue.conftest import FARMER, OFFICER, Dial, MakeCase, Outbox

COLLEAGUE = "+250788000010"


def test_the_pin_opens_the_desk_and_is_nowhere_afterwards(
    context: Context, dial: Dial, officer: str, known: str
) -> None:
    dial().dial().answer("4").answer("1").expect_end()
    phone = dial(OFFICER).dial().expect("type your PIN").answer("00000").expect("Wrong PIN")
    phone.answer(officer).expect("Officer's desk", "2 Go off duty")
    phone.answer("1").expect("Open cases")
    for key in context.redis.scan_iter("ussd*"):
        kind = context.redis.type(key)
        kept = context.redis.hgetall(key) if kind == b"hash" else context.redis.get(key)
        assert officer.encode() not in repr(kept).encode()


def test_an_officer_who_was_cut_off_comes_back_to_the_pin(
    dial: Dial, officer: str, known: str
) -> None:
    dial().dial().answer("4").answer("1").expect_end()
    phone = dial(OFFICER)

    def half_an_answer() -> None:
        phone.dial().answer(officer).answer("1").answer("1").answer("2").expect("What does").drop()

    half_an_answer()
    phone.dial().expect("cut off").answer("9").expect("type your PIN").drop()
    phone.dial().expect("type your PIN").drop()
    half_an_answer()
    phone.dial().expect("cut off").answer("00").expect("type your PIN")


def test_an_officer_who_only_read_begins_anew(dial: Dial, officer: str, known: str) -> None:
    dial().dial().answer("4").answer("1").expect_end()
    phone = dial(OFFICER)
    phone.dial().answer(officer).answer("1").answer("1").drop()
    phone.dial().expect("type your PIN")


def test_five_wrong_pins_lock_the_door(dial: Dial, officer: str) -> None:
    phone = dial(OFFICER).dial()
    for _ in range(5):
        phone.answer("00000").expect("Wrong PIN")
    phone.answer(officer).expect_end("Too many wrong PINs")
    dial(OFFICER).dial().answer(officer).expect_end("Too many wrong PINs")


def test_wrong_pins_at_the_page_leave_the_phone_one_try(
    context: Context, dial: Dial, officer: str
) -> None:
    """A stranger at the page keeps no officer out, and gets no second budget by telephone."""
    for address in ("203.0.113.1", "203.0.113.2"):
        guess_at_the_page(context, at_address(address))
    dial(OFFICER).dial().answer(officer).expect("Officer's desk")
    phone = dial(OFFICER).dial().answer("00").answer("00000").expect("Wrong PIN")
    phone.answer(officer).expect_end("Too many wrong PINs")


def guess_at_the_page(context: Context, place: Place) -> None:
    with context.store.reading() as session:
        keza = officers.by_phone(session, OFFICER)
    assert keza is not None
    for _ in range(4):
        with pytest.raises((officers.WrongPin, Locked)):
            officers.try_pin(context.store, OFFICER, keza, "not it", place)


def test_an_officer_may_be_a_farmer_too(dial: Dial, officer: str) -> None:
    dial(OFFICER).dial().answer("1").expect("1 Ikinyarwanda").answer("3").answer("1").expect(
        "My results"
    )


def test_answering_from_the_list_reaches_the_farmer_in_her_language(
    context: Context, dial: Dial, officer: str, known: str, outbox: Outbox
) -> None:
    with context.store.transaction() as session:
        farmers.set_language(session, farmers.find_or_create(session, FARMER), "sw", by="test")
    dial().dial().answer("4").answer("2").expect_end()
    phone = dial(OFFICER).dial().answer(officer).answer("1").answer("1")
    phone.expect("no photo to go by", FARMER, "1 Accept").answer("1").expect("Accepted.")
    assert "1 Accept" not in phone.screen
    phone.answer("2").answer("5").expect("Answer sent, case closed.")
    with context.store.reading() as session:
        case = session.scalars(select(Case)).one()
    assert case.state == "closed"
    assert "Inaonekana kutu" in outbox()[-1]
    assert OFFICER in outbox()[-1]
    dial().dial().answer("1").answer("1").expect("Afisa, namba", "Inaonekana kutu")


def test_an_answer_to_a_case_that_went_to_a_colleague_is_not_called_sent(
    context: Context, dial: Dial, officer: str, known: str, outbox: Outbox
) -> None:
    dial().dial().answer("4").answer("2").expect_end()
    phone = dial(OFFICER).dial().answer(officer).answer("1").answer("1").answer("2")
    with context.store.transaction() as session:
        officers.add(session, COLLEAGUE, "Bea", "*", ["en"])
        case = session.scalars(select(Case)).one()
        held = escalation.open_one(session, case)
        assert held is not None
        colleague = officers.by_phone(session, COLLEAGUE)
        escalation.pass_on(session, context.desk, case, held, colleague, actor="sweep", reason="x")
    before = outbox()
    phone.answer("5").expect("This case is no longer here")
    assert "Answer sent" not in phone.screen
    assert outbox() == before


def test_a_labelled_answer_labels_the_photos(
    context: Context, dial: Dial, officer: str, make_case: MakeCase
) -> None:
    code = make_case(state="answered", label="maize_rust", crop="maize")
    dial().dial().answer("1").answer("1").answer("3").expect_end()
    with context.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        photo = Photo(case_id=case.id, address="a" * 64, upload_digest="b" * 64, source="kiosk:1")
        photo.width = photo.height = 640
        session.add(photo)
    phone = dial(OFFICER).dial().answer(officer).answer("1").answer("1").expect("common rust?")
    phone.answer("2").answer("4").expect("Answer sent")
    with context.store.reading() as session:
        assert [label.label for label in session.scalars(select(Label))] == ["maize_blight"]


def test_handing_over_and_going_off_duty(
    context: Context, dial: Dial, officer: str, known: str, outbox: Outbox
) -> None:
    dial().dial().answer("4").answer("2").expect_end()
    phone = dial(OFFICER).dial().answer(officer).answer("1").answer("1").answer("3")
    phone.expect("No colleague is on duty")
    with context.store.transaction() as session:
        officers.add(session, COLLEAGUE, "Ben", "*", ["en"])
    phone.answer("1").answer("1").answer("3").expect("Handed over.")
    assert len(outbox(COLLEAGUE)) == 1
    phone.answer("1").expect("No open case.").answer("00").answer("2")
    phone.expect("You are off duty.", "3 Go on duty")
    with context.store.reading() as session:
        duty = {o.name: o.on_duty for o in session.scalars(select(Officer))}
    assert duty == {"Ada": False, "Ben": True}


def test_an_officer_whose_session_state_is_lost_gives_the_pin_again(
    context: Context, dial: Dial, officer: str
) -> None:
    phone = dial(OFFICER).dial().answer(officer).expect("Officer's desk")
    context.redis.flushall()
    phone.answer("1").expect("type your PIN").answer(officer).expect("Officer's desk")


def test_own_words_go_out_whole_and_a_product_with_its_safety_words(
    context: Context, dial: Dial, officer: str, make_case: MakeCase, outbox: Outbox
) -> None:
    code = make_case(state="answered", label="maize_rust", crop="maize")
    dial().dial().answer("1").answer("1").answer("3").expect_end()
    phone = dial(OFFICER).dial().answer(officer).answer("1").answer("1").answer("2")
    phone.answer("98").answer("9").expect("Type what the farmer reads")
    phone.answer("yes").expect("Write two words or more")
    phone.answer("x" * 30 + " and more words " * 5).expect("longer than 85 letters")
    phone.answer("Spray copper oxychloride early").expect("names a product or a dose")
    phone.answer("1").expect("Answer sent")
    first, second = outbox()[-2:]
    assert "Spray copper oxychloride early" in first
    assert "Gloves, mask" in second
    assert code in second


def test_only_diseases_of_the_crop_are_offered(
    context: Context, dial: Dial, officer: str, make_case: MakeCase
) -> None:
    make_case(state="answered", label="maize_rust", crop="beans")
    dial().dial().answer("1").answer("1").answer("3").expect_end()
    phone = dial(OFFICER).dial().answer(officer).answer("1").answer("1")
    phone.expect("photo maize, told beans").answer("2").expect("1 Angular leaf spot")
    assert "Common rust" not in phone.screen
    phone.answer("5").expect("Not understood")


def test_a_visit_announced_ends_no_case(
    context: Context, dial: Dial, officer: str, make_case: MakeCase, outbox: Outbox
) -> None:
    code = make_case(state="answered", label="maize_rust", crop="maize")
    dial().dial().answer("1").answer("1").answer("3").expect_end()
    phone = dial(OFFICER).dial().answer(officer).answer("1").answer("1").answer("2")
    phone.answer("6").expect("stays open with you")
    assert "Ada will visit you by" in outbox()[-1]
    with context.store.reading() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
    assert case.state == "promised"
