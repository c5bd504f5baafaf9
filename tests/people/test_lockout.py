from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from gateway.people import lockout
from gateway.store import Store
from gateway.store.models import Lockout

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DOOR = "officer +250788000001"


def _tries(store: Store, door: str = DOOR) -> int:
    """How many of twenty tries at once are judged."""

    def once(_: int) -> bool:
        try:
            lockout.count_try(store, door)
        except lockout.Locked:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(once, range(20)))


def test_of_many_guesses_at_once_five_are_judged(store: Store) -> None:
    assert _tries(store) == lockout.TRIES
    assert _tries(store, "another door") == lockout.TRIES


@pytest.mark.parametrize(
    ("later", "judged"),
    [
        (lockout.CLOSED_FOR - timedelta(seconds=1), 0),
        (lockout.CLOSED_FOR, lockout.TRIES),
        (timedelta(days=2), lockout.TRIES),
    ],
)
def test_closed_for_a_quarter_of_an_hour(store: Store, later: timedelta, judged: int) -> None:
    with time_machine.travel(NOON, tick=False):
        _tries(store)
    with time_machine.travel(NOON + later, tick=False):
        assert _tries(store) == judged


def test_tries_far_apart_do_not_add_up(store: Store) -> None:
    for hour in range(10):
        with time_machine.travel(NOON + timedelta(hours=hour), tick=False):
            assert lockout.count_try(store, DOOR) == lockout.TRIES - 1


def test_the_right_secret_starts_anew(store: Store) -> None:
    for _ in range(3):
        for _ in range(lockout.TRIES - 1):
            lockout.count_try(store, DOOR)
        lockout.open_again(store, DOOR)


def test_the_table_names_nobody_and_does_not_grow(store: Store) -> None:
    with time_machine.travel(NOON, tick=False):
        for number in range(30):
            lockout.count_try(store, f"officer {number}")
    with time_machine.travel(NOON + timedelta(days=1, seconds=1), tick=False):
        lockout.count_try(store, DOOR)
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Lockout)) == 1
        assert DOOR not in session.scalars(select(Lockout.door)).one()
