"""What a PIN and a password cost to guess; the other tests hash at the least cost."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from gateway.context import Context
from gateway.people import hashing, lockout, officers, operators
from gateway.store import Store
from gateway.store.models import Officer, Operator
from rig import admins, desk

SHIPPED = "$argon2id$v=19$m=65536,t=3,p=4$"
"""RFC 9106, the second recommended option."""
BEFORE = "scrypt:128:8:1"
"""As hashes were kept before, at the least cost."""


@pytest.fixture
def dear(shipped_hashing: PasswordHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "HASHER", shipped_hashing)


@pytest.mark.usefixtures("dear")
def test_what_is_kept_of_a_secret_is_dear(store: Store) -> None:
    with store.transaction() as session:
        officers.add(session, "+250788000009", "Ada", "*", ["en"])
        officer = session.scalars(select(Officer)).one()
        assert officer.pin_hash is not None
        assert officer.pin_hash.startswith(SHIPPED)
        officers.new_pin(session, officer, by="test")
        assert officer.pin_hash.startswith(SHIPPED)
    assert operators.hash_of("correct horse battery").startswith(SHIPPED)


@pytest.mark.parametrize("as_kept", ["", "-", "another", "scrypt", "$argon2id$", "$argon2id$v=1$x"])
def test_what_is_no_hash_is_nobodys_secret(as_kept: str) -> None:
    assert not hashing.right(as_kept, as_kept)
    assert not hashing.right(None, "")


def test_a_pin_kept_as_before_is_taken_and_kept_anew(context: Context) -> None:
    keza = desk.officer(context)
    with context.store.transaction() as session:
        row = session.get_one(Officer, keza.id)
        row.pin_hash = generate_password_hash(keza.pin, BEFORE)
    with pytest.raises(officers.WrongPin):
        officers.try_pin(context.store, keza.phone, row, keza.pin + "1", lockout.SOMEWHERE)
    for _ in range(2):
        with context.store.reading() as session:
            row = session.get_one(Officer, keza.id)
        officers.try_pin(context.store, keza.phone, row, keza.pin, lockout.SOMEWHERE)
        with context.store.reading() as session:
            kept = session.get_one(Officer, keza.id).pin_hash
        assert kept is not None
        assert kept.startswith("$argon2id$")


def test_a_password_kept_as_before_is_taken_and_kept_anew(context: Context) -> None:
    ines = admins.enrol(context)
    with context.store.transaction() as session:
        row = session.get_one(Operator, ines.operator.id)
        row.password_hash = generate_password_hash(admins.PASSWORD, BEFORE)
    with pytest.raises(operators.WrongSecrets):
        operators.sign_in(context.store, "ines", admins.PASSWORD, "000000")
    operators.sign_in(context.store, "ines", admins.PASSWORD, ines.recovery[0])
    with context.store.reading() as session:
        assert session.get_one(Operator, ines.operator.id).password_hash.startswith("$argon2id$")
    operators.sign_in(context.store, "ines", admins.PASSWORD, ines.recovery[1])
