from __future__ import annotations

from functools import partial

import pytest

from gateway.people import PeopleError, hashing, officers
from gateway.store import Store


def test_who_is_disabled_is_not_found_by_number(store: Store) -> None:
    with store.transaction() as session:
        gone, _ = officers.add(session, "+250788000101", "Keza", "Rwamagana", ["rw"])
        officers.disable(session, gone.id)
        assert officers.by_phone(session, gone.phone) is None


def test_a_pin_is_kept_as_a_hash_and_known_again(store: Store) -> None:
    with store.transaction() as session:
        officer, pin = officers.add(session, "+250788000001", "Keza", "Rwamagana", ["rw"])
        assert officer.pin_hash is not None
        assert pin not in officer.pin_hash
        assert hashing.right(officer.pin_hash, pin)
        assert not hashing.right(officer.pin_hash, "")
        assert not hashing.right(officer.pin_hash, pin + "0")


def test_a_number_has_one_officer(store: Store) -> None:
    with store.transaction() as session:
        officers.add(session, "+250788000001", "Keza", "Rwamagana", ["rw"])
        with pytest.raises(PeopleError, match="exists already"):
            officers.add(session, "+250788000001", "Other", "Rwamagana", ["rw"])


@pytest.mark.parametrize(
    ("days", "hours", "fits"),
    [
        ("12345", "08:00-17:00", True),
        ("1234567", "00:00-24:00", True),
        ("7", "06:30-06:31", True),
        ("", "08:00-17:00", False),
        ("21", "08:00-17:00", False),
        ("8", "08:00-17:00", False),
        ("1", "17:00-08:00", False),
        ("1", "08:00-08:00", False),
        ("1", "8-17", False),
        ("1", "08:00-24:30", False),
    ],
)
def test_working_hours(store: Store, days: str, hours: str, fits: bool) -> None:
    with store.transaction() as session:
        officer, _ = officers.add(session, "+250788000101", "Ada", "Rwamagana", ["rw"])
        values = {"name": "Keza", "area": "Huye", "languages": ["en"], "on_duty": False}
        change = partial(officers.change, session, officer, by="operator:1", **values)
        if fits:
            change(work_days=days, work_hours=hours)
            assert (officer.work_days, officer.area, officer.on_duty) == (days, "Huye", False)
        else:
            with pytest.raises(PeopleError):
                change(work_days=days, work_hours=hours)


def test_a_new_pin_ends_the_old(store: Store) -> None:
    with store.transaction() as session:
        officer, old = officers.add(session, "+250788000199", "Keza", "*", ["rw"])
        new = officers.new_pin(session, officer, by="operator:1")
        assert hashing.right(officer.pin_hash, new)
        assert new == old or not hashing.right(officer.pin_hash, old)
