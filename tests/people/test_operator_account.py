"""An operator's own password and authenticator, and a lost phone."""

from __future__ import annotations

import pyotp
import pytest
from sqlalchemy import select

from gateway.context import Context
from gateway.people import PeopleError, lockout, operator_account, operators, sign_ins
from gateway.people.operators import WrongSecrets
from gateway.store.models import Event, Operator
from rig import admins

NEW = "another correct horse"


def enter(context: Context, password: str, code: str) -> Operator:
    return operators.sign_in(context.store, "ines", password, code)


def history(context: Context) -> list[str]:
    with context.store.reading() as session:
        kinds = session.scalars(select(Event.kind).order_by(Event.id))
        return [kind for kind in kinds if kind.startswith("operator_")]


def test_a_new_password_ends_the_old(context: Context) -> None:
    ines = admins.enrol(context)
    before = sign_ins.stamp(ines.operator)
    changed = operator_account.change_password(context.store, ines.operator, admins.PASSWORD, NEW)
    assert sign_ins.stamp(changed) != before
    with pytest.raises(WrongSecrets):
        enter(context, admins.PASSWORD, admins.code(ines))
    assert enter(context, NEW, admins.code(ines)).name == "ines"
    assert history(context) == ["operator_added", "operator_new_password"]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("wrong", NEW, WrongSecrets),
        ("", NEW, WrongSecrets),
        (admins.PASSWORD, "short", PeopleError),
        (admins.PASSWORD, "x" * 201, PeopleError),
    ],
)
def test_what_does_not_fit_changes_nothing(
    context: Context, old: str, new: str, error: type[Exception]
) -> None:
    ines = admins.enrol(context)
    with pytest.raises(error):
        operator_account.change_password(context.store, ines.operator, old, new)
    assert enter(context, admins.PASSWORD, admins.code(ines)).name == "ines"
    assert history(context) == ["operator_added"]


def test_guessing_is_braked_and_locks_nobody_out(context: Context) -> None:
    ines = admins.enrol(context)
    for _ in range(lockout.TRIES):
        with pytest.raises(WrongSecrets):
            operator_account.prove(context.store, ines.operator, "wrong")
    with pytest.raises(lockout.Locked):
        operator_account.prove(context.store, ines.operator, admins.PASSWORD)
    assert enter(context, admins.PASSWORD, admins.code(ines)).name == "ines"


def test_a_new_authenticator_must_show_that_it_works(context: Context) -> None:
    ines = admins.enrol(context)
    secret = operator_account.new_secret()
    with pytest.raises(WrongSecrets):
        operator_account.change_authenticator(
            context.store, ines.operator, secret, admins.code(ines)
        )
    code = pyotp.TOTP(secret).now()
    spaced = f" {code[:3]} {code[3:]}"
    _, recovery = operator_account.change_authenticator(
        context.store, ines.operator, secret, spaced
    )
    for old in (admins.code(ines), code, ines.recovery[0]):  # the new one's code is spent
        with pytest.raises(WrongSecrets):
            enter(context, admins.PASSWORD, old)
    assert enter(context, admins.PASSWORD, recovery[0]).name == "ines"
    assert "operator_authenticator" in history(context)


@pytest.mark.parametrize("password", [None, NEW])
def test_a_lost_phone(context: Context, password: str | None) -> None:
    ines = admins.enrol(context)
    with context.store.transaction() as session:
        new = operator_account.reset(session, "Ines", issuer="Leafline", password=password)
    with pytest.raises(WrongSecrets):
        enter(context, password or admins.PASSWORD, admins.code(ines))
    assert enter(context, password or admins.PASSWORD, admins.code(new)).name == "ines"
    assert history(context)[-1] == "operator_reset"
    with context.store.transaction() as session, pytest.raises(PeopleError, match="no operator"):
        operator_account.reset(session, "nobody", issuer="Leafline")
