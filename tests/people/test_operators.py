"""Signing in takes a name, a password and a code that nobody used before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select, text

from gateway.cli import main
from gateway.people import PeopleError, lockout, operators, sign_ins
from gateway.store import Store
from gateway.store.models import Event, Operator

PASSWORD = "correct horse battery"
START = datetime(2026, 11, 24, 8, 0, 10, tzinfo=UTC)


@pytest.fixture
def enrolment(store: Store) -> operators.Enrolment:
    with store.transaction() as session:
        return operators.add(session, "Ines", "admin", PASSWORD, issuer="Leafline")


def code(enrolment: operators.Enrolment, ahead: int = 0) -> str:
    return pyotp.TOTP(enrolment.secret).at(datetime.now(UTC), counter_offset=ahead)


def test_password_and_code_let_in(store: Store, enrolment: operators.Enrolment) -> None:
    operator = operators.sign_in(store, " INES ", PASSWORD, code(enrolment))
    assert (operator.name, operator.role) == ("ines", "admin")
    with store.reading() as session:
        kinds = session.scalars(select(Event.kind).order_by(Event.id)).all()
    assert kinds == ["operator_added", "signed_in"]


@pytest.mark.parametrize(
    ("name", "password", "wrong_code"),
    [
        pytest.param("ines", PASSWORD, "", id="no code"),
        pytest.param("ines", PASSWORD, "000000", id="wrong code"),
        pytest.param("ines", PASSWORD, "aaaaa-aaaaa", id="wrong recovery code"),
        pytest.param("ines", "correct horse batter", None, id="wrong password"),
        pytest.param("ines", "", None, id="no password"),
        pytest.param("inès", PASSWORD, None, id="unknown name"),
    ],
)
@time_machine.travel(START, tick=False)
def test_refused(
    store: Store, enrolment: operators.Enrolment, name: str, password: str, wrong_code: str | None
) -> None:
    if wrong_code == code(enrolment):
        pytest.skip("the code happens to be this one")  # one in a million
    typed = code(enrolment) if wrong_code is None else wrong_code
    with pytest.raises(operators.WrongSecrets):
        operators.sign_in(store, name, password, typed)


def test_a_code_is_taken_once(store: Store, enrolment: operators.Enrolment) -> None:
    with time_machine.travel(START, tick=False) as clock:
        first = code(enrolment)
        operators.sign_in(store, "ines", PASSWORD, first)
        with pytest.raises(operators.WrongSecrets):
            operators.sign_in(store, "ines", PASSWORD, first)
        clock.shift(timedelta(seconds=30))
        operators.sign_in(store, "ines", PASSWORD, code(enrolment))
        with pytest.raises(operators.WrongSecrets):  # an older one, though still in its time
            operators.sign_in(store, "ines", PASSWORD, first)


@pytest.mark.parametrize(
    ("offset", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_clocks_may_differ_by_a_step(offset: int, taken: bool) -> None:
    secret = pyotp.random_base32()
    typed = pyotp.TOTP(secret).at(START, counter_offset=offset)
    assert (operators.matching_step(secret, typed, START, spent=0) is not None) == taken


@pytest.mark.parametrize("typed", ["١٢٣٤٥٦", "１２３４５６", "é", ""])
def test_what_no_authenticator_shows_is_no_code(typed: str) -> None:
    assert operators.matching_step(pyotp.random_base32(), typed, START, spent=0) is None


def test_a_recovery_code_is_taken_once(store: Store, enrolment: operators.Enrolment) -> None:
    spare = enrolment.recovery[3]
    operators.sign_in(store, "ines", PASSWORD, f" {spare[:5].upper()}-{spare[5:]} ")
    with pytest.raises(operators.WrongSecrets):
        operators.sign_in(store, "ines", PASSWORD, spare)
    operators.sign_in(store, "ines", PASSWORD, enrolment.recovery[4])
    with store.reading() as session:
        assert len(session.scalars(select(Operator)).one().recovery) == 6


def test_five_wrong_tries_close_the_door_to_the_right_code_too(
    store: Store, enrolment: operators.Enrolment
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(lockout.TRIES):
            with pytest.raises(operators.WrongSecrets):
                operators.sign_in(store, "ines", "wrong password", code(enrolment))
        with pytest.raises(lockout.Locked):
            operators.sign_in(store, "ines", PASSWORD, code(enrolment))
        clock.shift(lockout.CLOSED_FOR + timedelta(seconds=1))
        operators.sign_in(store, "ines", PASSWORD, code(enrolment))


def test_a_disabled_operator_is_out(store: Store, enrolment: operators.Enrolment) -> None:
    limits = sign_ins.Limits(longest=timedelta(hours=8), idle=timedelta(hours=1))
    with store.transaction() as session:
        ines = operators.find(session, "Ines")
        token = sign_ins.begin(session, ines, "", limits, instead="")
    assert sign_ins.present(store, "operator", token, limits)
    with store.transaction() as session:
        operators.disable(session, "Ines")
    with pytest.raises(operators.WrongSecrets):
        operators.sign_in(store, "ines", PASSWORD, code(enrolment))
    assert sign_ins.present(store, "operator", token, limits) is None


@pytest.mark.parametrize(
    ("name", "role", "password", "reason"),
    [
        ("ines", "admin", PASSWORD, "exists already"),
        ("i", "admin", PASSWORD, "2 to 40 letters"),
        ("two words", "admin", PASSWORD, "2 to 40 letters"),
        ("ines2", "owner", PASSWORD, "admin, viewer"),
        ("ines2", "viewer", "short", "10 to 200"),
    ],
)
def test_what_cannot_be_added(
    store: Store, enrolment: operators.Enrolment, name: str, role: str, password: str, reason: str
) -> None:
    with pytest.raises(PeopleError, match=reason), store.transaction() as session:
        operators.add(session, name, role, password, issuer="Leafline")


def test_no_secret_lies_open_in_the_store(store: Store, enrolment: operators.Enrolment) -> None:
    with store.reading() as session:
        row = session.execute(text("SELECT * FROM operator")).one()
    kept = " ".join(str(bytes(v) if isinstance(v, memoryview) else v) for v in row)
    for secret in (PASSWORD, enrolment.secret, *enrolment.recovery):
        assert secret not in kept


def test_the_command_shows_what_an_authenticator_needs() -> None:
    runner = CliRunner()
    added = runner.invoke(main, ["operator", "add", "ines", "--role", "admin", "--generate"])
    assert added.exit_code == 0, added.output
    lines = dict(line.split(": ", 1) for line in added.output.splitlines() if ": " in line)
    assert pyotp.TOTP(lines["secret"]).now().isdigit()
    assert len(lines["password"]) >= operators.PASSWORD_LEAST
    assert "▄" in added.output  # the QR code
    typed = runner.invoke(main, ["operator", "add", "jo"], input=f"{PASSWORD}\n{PASSWORD}\n")
    assert typed.exit_code == 0, typed.output
    assert PASSWORD not in typed.output
    disabled = runner.invoke(main, ["operator", "disable", "ines"])
    assert disabled.exit_code == 0
    listed = runner.invoke(main, ["operator", "list"]).output.splitlines()
    assert [line.split()[1:3] for line in listed] == [["admin", "disabled"], ["viewer", "8"]]
    again = runner.invoke(main, ["operator", "add", "jo", "--generate"])
    assert (again.exit_code, "exists already" in again.output) == (1, True)
