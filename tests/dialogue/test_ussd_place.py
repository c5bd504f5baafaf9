"""Where a farmer's field is: asked once, on two screens, before a person is asked for."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from gateway.context import Context
from gateway.people import farmers, kiosks, officers
from gateway.store.models import Case
from tests.dialogue.conftest import FARMER, OFFICER, Dial


@pytest.fixture
def somewhere(context: Context, known: str) -> str:
    """Number of a farmer who has agreed, and whose area nobody knows."""
    with context.store.transaction() as session:
        farmers.find_or_create(session, known).area = None
    return known


def area_of(context: Context) -> str | None:
    with context.store.reading() as session:
        farmer = farmers.find(session, FARMER)
        return farmer.area if farmer else None


def choose(phone: object, name: str) -> str:
    """Page through the list and find the number of the line."""
    for _ in range(40):
        screen = phone.screen  # type: ignore[attr-defined]
        if found := re.search(rf"^(\d+) {name}$", screen, re.MULTILINE):
            return found[1]
        assert "98 " in screen, screen
        phone.answer("98")  # type: ignore[attr-defined]
    raise AssertionError(name)


def test_it_is_asked_once_and_goes_with_the_case(
    context: Context, dial: Dial, somewhere: str
) -> None:
    with context.store.transaction() as session:
        far, _ = officers.add(session, "+250788000008", "Far", "Huye", ["en"])
        near, _ = officers.add(session, OFFICER, "Near", "Rwamagana", ["en"])
    phone = dial().dial().answer("4").expect("Where is your field?")
    phone.answer(choose(phone, "Rwamagana")).expect("Rwamagana: which part?")
    phone.answer(choose(phone, "Muhazi")).expect("Why?")
    assert area_of(context) is None  # nothing is kept before something is asked for
    phone.answer("1").expect_end("went to an officer")
    assert area_of(context) == "Rwamagana/Muhazi"
    with context.store.reading() as session:
        case = session.scalars(select(Case)).one()
        assert case.area == "Rwamagana/Muhazi"
    dial().dial().answer("00").answer("4").expect("Why?")
    assert (far.id, near.id) == (1, 2)


@pytest.mark.parametrize(
    ("district", "sector"),
    [
        ("rwamag", "muhaz"),
        ("RWAMAGANA", "Muhazi"),
        (" Rwámagana ", " muhazi#"),
        ("magana", "uhazi"),
        ("rwamagana", "MUHAZI "),
    ],
)
def test_its_letters_are_understood(dial: Dial, somewhere: str, district: str, sector: str) -> None:
    phone = dial().dial().answer("3").answer(district).expect("Rwamagana: which part?")
    phone.answer(sector.replace("#", "")).expect("Which crop is sick?")


def test_letters_that_fit_several_make_a_shorter_list(dial: Dial, somewhere: str) -> None:
    phone = dial().dial().answer("3").answer("nya").expect("1 Nyabihu", "2 Nyagatare")
    phone.answer("2").expect("Nyagatare: which part?").answer("0").expect("Where is your field?")
    phone.answer("xx").expect("No place begins so.").answer("ngoma").expect("Ngoma: which part?")


@pytest.mark.parametrize("typed", ["", "*", "99999", "/", "\0", "é", "a" * 90, "-1", "98 98"])
def test_what_names_no_place_asks_again(dial: Dial, somewhere: str, typed: str) -> None:
    phone = dial().dial().answer("4").answer(typed)
    assert "Where is your field?" in phone.screen
    assert not phone.ended


def test_a_path_by_heart_never_chooses_a_place(dial: Dial, somewhere: str) -> None:
    dial().dial("*384*123*4*1#").expect("Where is your field?")
    phone = dial()
    phone.dial("*384*123*3*1*4*1*1#").expect("Where is your field?")


def test_a_lost_session_asks_where_again_and_nothing_else_happens(
    context: Context, dial: Dial, somewhere: str
) -> None:
    phone = dial().dial().answer("4").answer("rwamagana").answer("muhazi").expect("Why?")
    context.redis.flushall()
    phone.answer("1").expect("Where is your field?")
    with context.store.reading() as session:
        assert session.scalars(select(Case)).all() == []


def test_00_does_not_forget_it_within_the_call(dial: Dial, somewhere: str) -> None:
    phone = dial().dial().answer("4").answer("rwamagana").answer("muhazi").answer("00")
    phone.answer("3").expect("Which crop is sick?")


def test_consent_comes_first(dial: Dial) -> None:
    phone = dial().dial().answer("3").answer("2").answer("4").expect("Agree?")
    phone.answer("1").expect("Where is your field?").answer("huye").answer("tumba").expect("Why?")


def test_who_moved_says_so_where_kiosks_are(context: Context, dial: Dial, known: str) -> None:
    with context.store.transaction() as session:
        kiosks.add(session, "Musha", "Rwamagana/Musha")
        kiosks.add(session, "Tumba", "Huye/Tumba")
    phone = dial().dial().answer("5").expect("1 Musha", "2 Tumba", "90 Where my field is")
    phone.answer("90").answer("huye").answer("tumba").expect_end("Noted: Huye/Tumba")
    assert area_of(context) == "Huye/Tumba"
    dial().dial().answer("5").expect("1 Tumba", "2 Musha")


def test_without_consent_no_place_is_kept(context: Context, dial: Dial) -> None:
    phone = dial().dial().answer("3").answer("2").answer("5")
    assert "90 " not in phone.screen
    phone.answer("90").expect("Not understood.")
    assert area_of(context) is None
