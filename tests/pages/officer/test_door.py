"""Who gets in: a link and a PIN, a number and a PIN, and everybody else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from gateway.app import create_app
from gateway.context import Context
from gateway.people import lockout, officers
from gateway.settings import Settings
from gateway.store.base import now
from gateway.store.models import Event, Message, Officer, OfficerLink
from rig import desk
from rig.desk import Person
from tests.pages.officer.conftest import PUBLIC_URL


@pytest.fixture
def code(context: Context, keza: desk.Officer) -> str:
    return desk.case(context)


@pytest.fixture
def link(context: Context, code: str) -> str:
    """The path of the link in Keza's message."""
    with context.store.reading() as session:
        sent = select(Message.text).where(Message.template == "escalation_officer_link")
        text = session.scalars(sent).one()
    assert text is not None
    assert len(text) <= 160
    found = re.search(rf"{PUBLIC_URL}(/o/\w+) ", text)
    assert found is not None
    return found[1]


def test_the_link_and_the_pin_lead_to_the_case(
    person: Person, keza: desk.Officer, link: str, code: str
) -> None:
    before = person.get(link)
    assert before.status_code == 200
    assert "Kanyangese" not in person.page
    shown = person.post(link, pin=keza.pin)
    assert shown.request.path == f"/officer/case/{code}"
    assert shown.status_code == 200


def test_the_token_is_not_in_the_store(context: Context, link: str) -> None:
    with context.store.reading() as session:
        row = session.scalars(select(OfficerLink)).one()
    assert link.removeprefix("/o/") not in row.token_digest


def test_looking_at_a_link_does_not_use_it_up(
    person: Person, keza: desk.Officer, link: str
) -> None:
    for _ in range(3):  # as the messaging application does for its preview
        assert person.get(link).status_code == 200
    assert person.post(link, pin=keza.pin).status_code == 200


def test_the_second_time_the_link_asks_for_the_number(
    person: Person, other: Person, keza: desk.Officer, link: str, code: str
) -> None:
    person.get(link)
    person.post(link, pin=keza.pin)
    assert other.get(f"{link}?lang=en").status_code == 410
    assert "used before" in other.page
    shown = other.post("/officer/sign-in", phone=keza.phone, pin=keza.pin, case=code)
    assert shown.request.path == f"/officer/case/{code}"
    again = person.get(link)
    assert again.request.path == f"/officer/case/{code}", "whoever is signed in sees the case"


def test_after_its_end_the_link_asks_for_the_number(
    person: Person, keza: desk.Officer, link: str
) -> None:
    with time_machine.travel(now() + timedelta(days=3, seconds=1), tick=False):
        assert person.get(f"{link}?lang=en").status_code == 410
        assert "expired" in person.page
        late = person.post(link, pin=keza.pin)
        assert late.status_code == 410


def test_somebody_else_with_a_pin_of_her_own_does_not_see_the_case(
    context: Context, person: Person, link: str, code: str
) -> None:
    colleague = desk.officer(context, desk.COLLEAGUE, "Uwase")
    person.sign_in(colleague)
    assert person.get(link).status_code == 403
    assert "another officer" in person.page
    assert "Kanyangese" not in person.page


def test_somebody_else_with_the_link_alone_guesses_five_times(
    context: Context, person: Person, keza: desk.Officer, link: str
) -> None:
    wrong = "00000" if keza.pin != "00000" else "11111"
    person.get(f"{link}?lang=en")
    answers = [person.post(link, pin=wrong) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 403, 429]
    assert person.post(link, pin=keza.pin).status_code == 429, "even the right PIN must wait"
    with context.store.reading() as session:
        locked = session.scalars(select(Event).where(Event.kind == "pin_locked")).all()
    assert [event.actor for event in locked] == [f"officer:{keza.id}"]
    with time_machine.travel(now() + lockout.CLOSED_FOR, tick=False):
        assert person.post(link, pin=keza.pin).status_code == 200


def test_a_restart_does_not_forget_wrong_pins(
    app: Flask, settings: Settings, person: Person, keza: desk.Officer
) -> None:
    for _ in range(5):
        person.sign_in(keza, pin="99999x")
    fresh = create_app(settings)
    fresh.config["SESSION_COOKIE_SECURE"] = False
    assert Person(fresh.test_client()).sign_in(keza).status_code == 429
    fresh.extensions["leafline"].close()


@pytest.mark.parametrize("link", ["/o/AAAAAAAA", "/o/x", "/o/" + "y" * 300])
def test_a_link_that_never_was(person: Person, link: str) -> None:
    assert person.get(f"{link}?lang=en").status_code == 404
    assert "do not know this link" in person.page


def test_a_number_that_is_nobodys_is_answered_like_a_wrong_pin(
    person: Person, keza: desk.Officer
) -> None:
    nobody = desk.Officer(0, "+250788000055", "12345")
    pages = []
    for who in (keza, nobody):
        response = person.sign_in(who, pin="no")
        pages.append(re.sub(r'(csrf_token|phone)"[^>]*>', "", person.page))
        assert response.status_code == 403
    assert pages[0] == pages[1]


@pytest.mark.parametrize("phone", ["", "12", "not a number", "+250788000099" * 9])
def test_what_is_no_number(person: Person, phone: str) -> None:
    person.get("/officer/sign-in?lang=en")
    assert person.post("/officer/sign-in", phone=phone, pin="1").status_code == 400
    assert "not a phone number" in person.page


def test_pages_ask_who_is_there(person: Person, code: str) -> None:
    for path in ("/officer", "/officer/", f"/officer/case/{code}", "/officer/photo/1/full.jpg"):
        assert person.get(path).request.path == "/officer/sign-in", path
        assert "Kanyangese" not in person.page


def test_out_at_once_when_disabled_or_given_a_new_pin(
    context: Context, person: Person, keza: desk.Officer
) -> None:
    person.sign_in(keza)
    assert person.get("/officer").request.path == "/officer"
    with context.store.transaction() as session:
        session.get_one(Officer, keza.id).pin_hash = "another"
    assert person.get("/officer").request.path == "/officer/sign-in"


def test_a_disabled_officers_link_is_unknown(
    context: Context, person: Person, keza: desk.Officer, link: str
) -> None:
    with context.store.transaction() as session:
        officers.disable(session, keza.id)
    assert person.get(link).status_code == 404


def test_a_form_without_its_token_changes_nothing(person: Person, keza: desk.Officer) -> None:
    form = {"phone": keza.phone, "pin": keza.pin}
    assert person.client.post("/officer/sign-in", data=form).status_code == 400
    assert person.get("/officer").request.path == "/officer/sign-in"


def test_signing_out(person: Person, keza: desk.Officer) -> None:
    person.sign_in(keza)
    person.post("/officer/sign-out")
    assert person.get("/officer").request.path == "/officer/sign-in"


def test_the_page_speaks_the_officers_language_unless_told_otherwise(
    person: Person, other: Person, keza: desk.Officer, link: str
) -> None:
    person.get(link)
    person.post(link, pin=keza.pin)
    assert '<html lang="rw">' in person.page
    other.sign_in(keza)
    assert '<html lang="en">' in other.page


def test_the_next_page_is_one_of_ours(person: Person, keza: desk.Officer) -> None:
    for case in ("https://evil.example", "//evil", "AAAAAAA"):
        assert person.sign_in(keza, case=case).request.path == "/officer"
