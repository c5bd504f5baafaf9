"""The first operator of an empty store, made in the browser by the link that the start prints."""

from __future__ import annotations

import re
from datetime import timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from gateway.context import Context
from gateway.people import first_operator
from gateway.running import outside
from gateway.store.base import now
from gateway.store.models import Event, Operator
from rig import admins
from rig.desk import Person

NAME = "amina"


@pytest.fixture
def person(app: Flask) -> Person:
    return Person(app.test_client())


@pytest.fixture
def link(context: Context) -> str:
    code = first_operator.offer(context.store, context.settings.home)
    assert code is not None
    return code


def begin(person: Person, link: str, **other: str) -> int:
    person.get(f"/operator/first?code={link}&lang=en")
    form = {"name": NAME, "new": admins.PASSWORD, "again": admins.PASSWORD, "link": link} | other
    return person.post("/operator/first", **form).status_code


def confirm(person: Person, code: str | None = None) -> int:
    secret = re.search(r'class="code">([A-Z2-7]+)<', person.page)
    pending = re.search(r'name="pending" value="([^"]+)"', person.page)
    assert secret
    assert pending
    shown = code or pyotp.TOTP(secret[1]).now()
    form = {"pending": pending[1], "code": shown}
    return person.post("/operator/first/confirm", **form).status_code


def everybody(context: Context) -> list[tuple[str, str]]:
    with context.store.reading() as session:
        return [(row.name, row.role) for row in session.scalars(select(Operator))]


def test_the_link_makes_one_admin_who_is_in(person: Person, context: Context, link: str) -> None:
    assert begin(person, link) == 200
    assert everybody(context) == []
    assert confirm(person, "000000") == 403
    assert 'id="code-fault"' in person.page
    assert confirm(person) == 200
    assert len(re.findall(r'<li class="code">', person.page)) == 8
    assert everybody(context) == [(NAME, "admin")]
    assert person.get("/operator/").status_code == 200
    with context.store.reading() as session:
        assert session.scalars(select(Event.kind)).all() == ["operator_added"]
    assert person.get(f"/operator/first?code={link}").status_code == 403
    assert first_operator.offer(context.store, context.settings.home) is None


def test_two_at_once_make_one(app: Flask, context: Context, link: str) -> None:
    one, two = Person(app.test_client()), Person(app.test_client())
    begin(one, link)
    begin(two, link, name="bola")
    assert confirm(two) == 200
    assert confirm(one) == 403
    assert everybody(context) == [("bola", "admin")]


def test_a_link_that_is_no_longer_good(
    person: Person, context: Context, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert person.get(f"/operator/first?code={link[::-1]}").status_code == 403
    assert person.get("/operator/first?code=%C3%A9").status_code == 403
    assert begin(person, link) == 200
    newer = first_operator.offer(context.store, context.settings.home)
    assert newer is not None
    assert confirm(person) == 403
    kept = (context.settings.home / first_operator.FILE).read_text()
    assert newer not in kept
    later = now() + timedelta(days=1, seconds=1)
    with monkeypatch.context() as patched:
        patched.setattr(first_operator, "now", lambda: later)
        assert person.get(f"/operator/first?code={newer}").status_code == 403
    assert begin(person, newer) == 200
    admins.enrol(context, "jo")
    assert confirm(person) == 403
    assert everybody(context) == [("jo", "admin")]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"name": "A B"}, "name"), ({"new": "short"}, "new"), ({"again": "another"}, "again")],
)
def test_what_does_not_fit_is_said_at_the_field(
    person: Person, context: Context, link: str, wrong: dict[str, str], field: str
) -> None:
    assert begin(person, link, **wrong) == 422
    assert f'id="{field}-fault"' in person.page
    assert f'value="{wrong.get("name", NAME)}"' in person.page
    assert begin(person, link) == 200


def test_the_start_prints_the_link(context: Context, link: str) -> None:
    assert f"/operator/first?code={link}\n" in outside.announcement(context.settings, link)
    assert "first" not in outside.announcement(context.settings).partition("home")[0]


@pytest.mark.parametrize("lang", ["en", "fr", "rw", "sw"])
def test_the_front_door_leads_to_the_rooms(person: Person, lang: str) -> None:
    person.get(f"/?lang={lang}")
    assert f'<html lang="{lang}">' in person.page
    assert [room in person.page for room in ('"/kiosk', '"/officer', '"/operator')] == [True] * 3
