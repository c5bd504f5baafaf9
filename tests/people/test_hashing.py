"""What a PIN and a password cost to guess; the other tests hash at the least cost."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from gateway.people import officers, operators
from gateway.store import Store
from gateway.store.models import Officer

SHIPPED = "scrypt:32768:8:1$"


def test_what_is_kept_of_a_secret_is_dear(
    store: Store, shipped_hashing: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate_password_hash, "__defaults__", shipped_hashing)
    with store.transaction() as session:
        officers.add(session, "+250788000009", "Ada", "*", ["en"])
        officer = session.scalars(select(Officer)).one()
        assert officer.pin_hash.startswith(SHIPPED)
        officers.new_pin(session, officer, by="test")
        assert officer.pin_hash.startswith(SHIPPED)
    assert operators.hash_of("correct horse battery").startswith(SHIPPED)
