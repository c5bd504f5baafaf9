"""What docs/security.md names as proof is there, and what no other room proves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from gateway.app import create_app
from gateway.context import Context
from gateway.people import hashing, lockout, officers, operators
from gateway.running.lanes import PAGES, PICTURES, lane_of
from gateway.settings import ROOT, Settings
from rig import admins, desk, things
from rig.desk import Person
from rig.house import free_port
from tests import proofs
from tests.conftest import CHANNEL_KEY
from tests.test_routes import PLACES, ROUTES

PAGE = (ROOT / "docs" / "security.md").read_text()
FELL = 22


def test_every_proof_that_is_named_is_a_test() -> None:
    named = proofs.named(PAGE)
    assert len(named) > 60
    assert named - proofs.written() == set()


def test_every_threat_and_every_fall_has_a_proof_or_says_that_it_has_none() -> None:
    who = PAGE[PAGE.index("## Who wants what") : PAGE.index("## Twenty-two")]
    fell = PAGE[PAGE.index("## Twenty-two") : PAGE.index("## What is counted")]
    threats = [line for line in who.splitlines() if re.match(r"\| (?!---|who )", line)]
    falls = [line for line in fell.splitlines() if re.match(r"\| \d", line)]
    assert [int(line.split("|")[1]) for line in falls] == list(range(1, FELL + 1))
    assert [line for line in falls if "`test_" not in line] == []
    without = [line for line in threats if "`test_" not in line and "**" not in line]
    assert without == []


def test_every_setting_that_is_named_is_one() -> None:
    settings = {Settings.variable(name) for name in Settings.model_fields}
    assert set(re.findall(r"LEAFLINE_[A-Z_]+[A-Z]", PAGE)) <= settings


def test_every_callback_has_threads_that_no_page_takes() -> None:
    """Also those of a provider that is added: a crowd at a sign-in must not hold up its calls."""
    for route, door in ROUTES.items():
        path = route.partition(" ")[2]
        for place, value in PLACES.items():
            path = path.replace(place, value)
        if door.credential == "key":
            expected = {PICTURES} if door.body == "photo" else set()
            assert lane_of(path) != PAGES, path
            assert not expected or lane_of(path) in expected, path


@pytest.mark.parametrize("role", ["officer", "operator"])
def test_who_exists_is_told_by_neither_words_nor_work(
    app: Flask, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same page and one hash for who is in service, who is not any more, and who never was."""
    context: Context = app.extensions["leafline"]
    worked: list[str] = []
    verify = type(hashing.HASHER).verify
    monkeypatch.setattr(
        type(hashing.HASHER), "verify", lambda *a: worked.append("hash") or verify(*a)
    )
    found = []
    for name, phone in _people(context):
        worked.clear()
        browser = Person(app.test_client())
        browser.get(f"/{role}/sign-in?lang=en")
        form = {"phone": phone, "pin": "99999"} if role == "officer" else {
            "name": name, "password": "a wrong password", "code": "123456"}  # fmt: skip
        answer = browser.post(f"/{role}/sign-in", **form)
        page = re.sub(r'(csrf_token|phone|name)" [^>]*>', "", browser.page)
        found.append((answer.status_code, page, list(worked)))
    assert found == [found[0]] * len(found)
    assert found[0][0] == 403
    assert found[0][2] == ["hash"]


def _people(context: Context) -> Iterator[tuple[str, str]]:
    """A name and a number each."""
    desk.officer(context)
    admins.enrol(context, "ines")
    away = desk.officer(context, desk.COLLEAGUE, "Away")
    admins.enrol(context, "away")
    with context.store.transaction() as session:
        operators.disable(session, "away")
        officers.disable(session, away.id)
    yield "ines", things.OFFICER
    yield "away", desk.COLLEAGUE
    yield "nobody", "+250788000055"


def test_without_redis_guessing_is_braked_and_callbacks_are_taken(settings: Settings) -> None:
    """Failing closed for who guesses, open for who calls."""
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    app = create_app(type(settings).model_validate(settings.model_dump() | {"redis_url": nowhere}))
    context: Context = app.extensions["leafline"]
    keza = desk.officer(context)
    person = Person(app.test_client())
    statuses = [person.sign_in(keza, "99999").status_code for _ in range(lockout.TRIES + 2)]
    assert statuses[: lockout.TRIES - 1] == [403] * (lockout.TRIES - 1)
    assert statuses[-2:] == [429, 429]
    for kind, form in (
        ("sms", {"from": things.FARMER, "id": "1", "text": "HELP", "to": "384"}),
        ("ussd", {"sessionId": "s", "phoneNumber": things.FARMER, "text": ""}),
        ("delivery-reports", {"id": "x", "status": "Success"}),
        ("opt-outs", {"phoneNumber": things.FARMER}),
    ):
        answer = app.test_client().post(f"/africastalking/{CHANNEL_KEY}/{kind}", data=form)
        assert answer.status_code == 200, kind
    context.close()
