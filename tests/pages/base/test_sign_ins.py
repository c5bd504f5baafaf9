"""Signed in, and out: cookies from before, limits, one's own list, and guessing at a secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from gateway.app import create_app
from gateway.context import Context
from gateway.jobs import sweeps_messages
from gateway.people import guessing, hashing, lockout, officers, operator_account, operators
from gateway.people.operators import Enrolment
from gateway.people.sign_ins import called
from gateway.settings import Settings
from gateway.store.base import now
from gateway.store.models import Event, Message, Officer, SignIn
from gateway.watch import incidents
from rig import admins, desk
from rig.desk import Person
from tests.conftest import settings_for

ROLES = ("officer", "operator")
FIRST = {"officer": "/officer", "operator": "/operator/"}
LIST = {"officer": "/officer/sign-ins", "operator": "/operator/account"}
FIREFOX = "Mozilla/5.0 (Android 16; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"


@pytest.fixture
def context(app: Flask) -> Context:
    context: Context = app.extensions["leafline"]
    return context


@pytest.fixture
def keza(context: Context) -> desk.Officer:
    return desk.officer(context)


@pytest.fixture
def ines(context: Context) -> Enrolment:
    return admins.enrol(context)


Enter = Callable[..., Person]


@pytest.fixture
def enter(app: Flask, keza: desk.Officer, ines: Enrolment) -> Enter:
    """A browser in which the officer or the operator is signed in."""
    spare = iter(ines.recovery)

    def browser(role: str, address: str = "192.0.2.7") -> Person:
        client = app.test_client()
        client.environ_base |= {"REMOTE_ADDR": address, "HTTP_USER_AGENT": FIREFOX}
        person = Person(client)
        if role == "officer":
            person.sign_in(keza)
        else:
            person.get("/operator/sign-in?lang=en")
            form = {"name": "ines", "password": admins.PASSWORD, "code": next(spare)}
            person.post("/operator/sign-in", **form)
        return person

    return browser


def inside(person: Person, role: str) -> bool:
    return person.get(FIRST[role]).request.path == FIRST[role]


def copied(app: Flask, person: Person) -> Person:
    """Another browser with the cookies that this one has now."""
    thief = app.test_client()
    for cookie in person.client._cookies.values():
        thief.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path)
    return Person(thief)


@pytest.mark.parametrize("role", ROLES)
def test_an_old_cookie_opens_nothing_after_sign_out(app: Flask, enter: Enter, role: str) -> None:
    person = enter(role)
    thief = copied(app, person)
    other = enter(role)
    assert inside(person, role)
    assert inside(thief, role)
    person.post(f"/{role}/sign-out")
    for who in (person, thief, other):
        assert not inside(who, role)


@pytest.mark.parametrize("role", ROLES)
def test_another_secret_ends_what_the_old_one_opened(
    context: Context, enter: Enter, keza: desk.Officer, ines: Enrolment, role: str
) -> None:
    person = enter(role)
    if role == "officer":
        with context.store.transaction() as session:
            officers.new_pin(session, session.get_one(Officer, keza.id), by="test")
    else:
        new = "another correct horse"
        operator_account.change_password(context.store, ines.operator, admins.PASSWORD, new)
    assert not inside(person, role)
    with context.store.reading() as session:
        assert session.scalars(select(SignIn)).all() == []


@pytest.mark.parametrize("role", ROLES)
def test_a_new_authenticator_or_pin_lets_no_old_cookie_back_in(
    app: Flask, enter: Enter, context: Context, ines: Enrolment, role: str
) -> None:
    thief = copied(app, enter(role))
    if role == "operator":
        secret = operator_account.new_secret()
        code = pyotp.TOTP(secret).now()
        operator_account.change_authenticator(context.store, ines.operator, secret, code)
    else:
        with context.store.transaction() as session:
            session.scalars(select(Officer)).one().pin_hash = hashing.kept("12345")
    assert not inside(thief, role)


@pytest.mark.parametrize(
    ("role", "idle", "longest"), [("officer", 240, 12 * 60), ("operator", 60, 8 * 60)]
)
def test_doing_nothing_and_staying_too_long_end_a_sign_in(
    enter: Enter, role: str, idle: int, longest: int
) -> None:
    start = now()
    with time_machine.travel(start, tick=False) as clock:
        idling, busy = enter(role), enter(role)
        for minute in range(0, longest, idle - 1):
            clock.move_to(start + timedelta(minutes=minute))
            assert inside(busy, role), minute
        clock.move_to(start + timedelta(minutes=idle))
        assert not inside(idling, role)
        clock.move_to(start + timedelta(minutes=longest))
        assert not inside(busy, role)


def test_the_limits_are_settings(settings: Settings, keza: desk.Officer) -> None:
    short = settings.model_copy(update={"officer_idle_minutes": 7.0})
    app = create_app(short)
    person = Person(app.test_client())
    start = now()
    with time_machine.travel(start, tick=False) as clock:
        person.sign_in(keza)
        clock.move_to(start + timedelta(minutes=6, seconds=59))
        assert inside(person, "officer")
        clock.shift(timedelta(minutes=7))
        assert not inside(person, "officer")
    app.extensions["leafline"].close()


@pytest.mark.parametrize("role", ROLES)
def test_ones_own_sign_ins_are_listed_and_ended(enter: Enter, role: str) -> None:
    here, there, third = enter(role), enter(role), enter(role)
    here.get(f"{LIST[role]}?lang=en")
    assert here.page.count("Firefox, Android") == 3
    assert here.page.count("this one") == 1
    ends = re.findall(r'action="([^"]+/sign-ins/\d+/end)"', here.page)
    assert len(ends) == 2
    here.post(ends[-1])  # the oldest of the others
    assert [inside(person, role) for person in (here, there, third)] == [True, False, True]
    here.get(LIST[role])
    others = re.search(r'action="([^"]+/sign-ins/end)"', here.page)
    assert others is not None
    here.post(others[1])
    assert [inside(person, role) for person in (here, third)] == [True, False]


@pytest.mark.parametrize("role", ROLES)
def test_the_list_tells_the_time_of_the_clock_on_the_wall(enter: Enter, role: str) -> None:
    with time_machine.travel(datetime(2026, 11, 28, 22, 30, tzinfo=UTC), tick=False):
        here = enter(role)
        here.get(f"{LIST[role]}?lang=en")
    assert "Since 2026-11-29 00:30, last seen 2026-11-29 00:30" in here.page
    assert "UTC" not in here.page


def test_nobody_ends_anothers_sign_in(enter: Enter, context: Context) -> None:
    officer, operator = enter("officer"), enter("operator")
    with context.store.reading() as session:
        ids = {row.role: row.id for row in session.scalars(select(SignIn))}
    officer.get("/officer/sign-ins")
    officer.post(f"/officer/sign-ins/{ids['operator']}/end")
    officer.post(f"/officer/sign-ins/{10**17}/end")
    operator.get("/operator/account")
    operator.post(f"/operator/account/sign-ins/{ids['officer']}/end")
    assert inside(officer, "officer")
    assert inside(operator, "operator")


def test_the_store_keeps_no_token(enter: Enter, context: Context) -> None:
    person = enter("officer")
    with person.client.session_transaction() as cookie:
        token = cookie["officer"]["id"]
    with context.store.reading() as session:
        row = session.scalars(select(SignIn)).one()
    assert token not in (row.token_digest, row.stamp)


def test_a_cookie_of_another_role_opens_nothing(enter: Enter) -> None:
    person = enter("officer")
    with person.client.session_transaction() as cookie:
        cookie["operator"] = cookie["officer"]
    assert not inside(person, "operator")


def test_what_is_over_is_swept(enter: Enter, context: Context) -> None:
    enter("officer")
    with time_machine.travel(now() + timedelta(days=1), tick=False):
        enter("officer")
    with context.store.reading() as session:
        assert len(session.scalars(select(SignIn)).all()) == 1


@pytest.mark.parametrize("role", ROLES)
def test_a_stranger_who_guesses_keeps_the_owner_out_nowhere(
    app: Flask, enter: Enter, keza: desk.Officer, role: str
) -> None:
    before = enter(role, "192.0.2.7")
    before.post(f"/{role}/sign-out")
    stranger = guesser(app, "203.0.113.5")
    answers = {guess(stranger, role, keza) for _ in range(12)}
    assert 429 in answers
    assert inside(enter(role, "198.51.100.9"), role), "from an address never seen"
    for address in range(60):
        guess(guesser(app, f"203.0.114.{address}"), role, keza)
    assert not inside(enter(role, "198.51.100.10"), role), "a new place waits now"
    before.client.environ_base["REMOTE_ADDR"] = "198.51.100.11"
    if role == "officer":
        before.sign_in(keza)
        assert inside(before, role), "where the owner was before"


def test_the_link_the_page_and_the_phone_count_together(
    app: Flask, context: Context, keza: desk.Officer
) -> None:
    for _ in range(4):
        assert guess(guesser(app, "203.0.113.5"), "officer", keza) == 403
    with context.store.reading() as session:
        officer = session.get_one(Officer, keza.id)
    wrong = str((int(keza.pin) + 1) % 100_000).zfill(5)
    with pytest.raises(officers.WrongPin):
        officers.try_pin(context.store, keza.phone, officer, wrong, lockout.THE_PHONE)
    with pytest.raises(lockout.Locked):
        officers.try_pin(context.store, keza.phone, officer, keza.pin, lockout.THE_PHONE)
    assert guess(guesser(app, "203.0.113.5"), "officer", keza) == 429
    assert guess(guesser(app, "203.0.113.6"), "officer", keza) == 429, "its wrong try was one more"


@pytest.mark.parametrize("role", ROLES)
def test_one_address_that_tries_many_names_costs_no_hashes(
    app: Flask, context: Context, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []
    right = hashing.right
    monkeypatch.setattr(hashing, "right", lambda *a: hashes.append(a) or right(*a))
    stranger = guesser(app, "203.0.113.5")
    for number in range(60):
        nobody = desk.Officer(0, f"+2507881{number:05}", "11111")
        guess(stranger, role, nobody, name=f"name{number}")
    assert len(hashes) == lockout.FROM_ONE_ADDRESS


def test_guessing_is_told_to_the_owner_once_and_to_the_operator(
    app: Flask, context: Context, keza: desk.Officer, ines: Enrolment
) -> None:
    for _ in range(5):
        guess(guesser(app, "203.0.113.5"), "officer", keza)
        guess(guesser(app, "203.0.113.5"), "operator", keza)
    with context.store.reading() as session:
        assert incidents.is_open(session, guessing.CAUSE)
        kinds = set(session.scalars(select(Event.kind)))
    assert {"pin_locked", "password_locked"} <= kinds
    assert [sweeps_messages.guessing_at_pins(context) for _ in range(3)] == [1, 0, 0]
    with context.store.reading() as session:
        told = session.scalars(select(Message).where(Message.officer_id == keza.id)).all()
    assert [(row.template, row.address) for row in told] == [("officer_guessed_at", keza.phone)]
    with time_machine.travel(now() + timedelta(hours=1, seconds=1), tick=False):
        sweeps_messages.guessing_at_pins(context)
        with context.store.reading() as session:
            assert not incidents.is_open(session, guessing.CAUSE)


def test_guessing_at_nobody_is_told_to_nobody(app: Flask, context: Context) -> None:
    for _ in range(30):
        guess(guesser(app, "203.0.113.5"), "operator", desk.Officer(0, "", ""), name="nobody")
    with context.store.reading() as session:
        assert not incidents.is_open(session, guessing.CAUSE)


def guesser(app: Flask, address: str) -> Person:
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    return Person(client)


def guess(person: Person, role: str, officer: desk.Officer, name: str = "ines") -> int:
    if role == "operator":
        person.get("/operator/sign-in")
        form = {"name": name, "password": "a wrong password", "code": "000000"}
        return person.post("/operator/sign-in", **form).status_code
    person.get("/officer/sign-in")
    return person.sign_in(officer, pin="not it").status_code


@pytest.fixture
def behind_https(sqlite_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return settings_for(tmp_path, sqlite_url, redis_url, public_url="https://leaf.example.rw")


def test_over_https_the_cookie_is_of_this_host_alone(behind_https: Settings) -> None:
    app = create_app(behind_https)
    header = app.test_client().get("/officer/sign-in").headers["Set-Cookie"]
    name, _, rest = header.partition("=")
    assert name == "__Host-leafline"
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(rest.split("; "))
    assert "Domain" not in rest
    app.extensions["leafline"].close()


def test_a_kiosk_paired_before_the_cookie_was_renamed_stays_paired(
    settings: Settings, behind_https: Settings
) -> None:
    before, after = create_app(settings), create_app(behind_https)
    kiosk, until = {"id": 3, "until": 2**40}, now()
    signing = before.session_interface.get_signing_serializer(before)  # type: ignore[attr-defined]
    old = signing.dumps({"kiosk": kiosk, "officer": kiosk, "_permanent": True})
    for value, opened in ((old, {"kiosk": kiosk, "_permanent": True}), (old + "x", {})):
        with after.test_request_context("/", headers={"Cookie": f"leafline={value}"}) as request:
            assert dict(request.session) == opened, until
    before.extensions["leafline"].close()
    after.extensions["leafline"].close()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox, Android"),
        (
            "Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (Macintosh) Version/18.0 Safari/605.1", "Safari, Mac"),
        ("curl/8.5.0", ""),
        ("", ""),
        ("<script>" * 999, ""),
    ],
)
def test_a_browser_is_called_by_its_name(agent: str, name: str) -> None:
    assert called(agent) == name


def test_a_cheaper_hash_that_is_made_anew_ends_no_other_sign_in(
    context: Context, enter: Enter, keza: desk.Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = enter("officer")
    monkeypatch.setattr(hashing, "HASHER", type(hashing.HASHER)(2, 16, 1))
    enter("officer")
    assert inside(person, "officer")
    assert operators.who(" INES ") == operators.who("ines")
