from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from gateway.people import lockout
from gateway.people.lockout import NEVER, SOMEWHERE, THE_PHONE, Place, Tried, at_address
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Lockout

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DOOR = "officer +250788000001"
BROWSER = Place("browser x", known=True)


def judged(store: Store, place: Place = SOMEWHERE, who: str = DOOR) -> bool:
    """Whether one more try, which is wrong, is judged."""
    try:
        lockout.count_try(store, who, place)
    except lockout.Locked:
        return False
    return True


def _tries(store: Store, door: str = DOOR) -> int:
    """How many of twenty tries at once are judged."""
    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(lambda _: judged(store, who=door), range(20)))


def stranger(number: int) -> Place:
    return at_address(f"198.51.{number // 250}.{number % 250 + 1}")


def test_of_many_guesses_at_once_five_are_judged(store: Store) -> None:
    assert _tries(store) == lockout.TRIES
    assert _tries(store, "another door") == lockout.TRIES


def test_each_wrong_try_doubles_the_wait(store: Store) -> None:
    waits = []
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(lockout.TRIES):
            assert judged(store)
        for _ in range(7):
            until = lockout.closed(store, DOOR)
            assert until is not None
            waits.append(until - now())
            clock.move_to(until - timedelta(seconds=1))
            assert not judged(store)
            clock.move_to(until)
            assert judged(store)
    assert [wait.total_seconds() / 60 for wait in waits] == [1, 2, 4, 8, 15, 15, 15]


def test_the_owner_is_judged_while_a_stranger_guesses(store: Store) -> None:
    with time_machine.travel(NOON, tick=False):
        while judged(store, stranger(1)):
            pass
        for place in (stranger(2), BROWSER, THE_PHONE):
            assert judged(store, place), place
            assert not judged(store, place), "the budget of all doors together is used up"
    with time_machine.travel(NOON + lockout.FIRST_WAIT, tick=False):
        for place in (BROWSER, THE_PHONE):
            assert judged(store, place), place


def test_doors_share_one_budget(store: Store) -> None:
    """Three tries here, one there and one on the phone are five."""
    with time_machine.travel(NOON, tick=False):
        places = (stranger(1), stranger(1), stranger(1), BROWSER, THE_PHONE)
        assert all(judged(store, place) for place in places)
        assert not any(judged(store, place) for place in places)


def test_guessing_from_ever_new_addresses_delays_new_places_alone(store: Store) -> None:
    with time_machine.travel(NOON, tick=False):
        guesses = sum(judged(store, stranger(number)) for number in range(300))
        assert guesses == lockout.FROM_STRANGERS
        assert judged(store, BROWSER)
        assert judged(store, THE_PHONE)


def test_one_address_does_not_try_all_names(store: Store) -> None:
    with time_machine.travel(NOON, tick=False):
        tries = sum(judged(store, stranger(1), f"officer {number}") for number in range(100))
        assert tries == lockout.FROM_ONE_ADDRESS
        assert judged(store, stranger(2), "officer 99")
        assert judged(store, BROWSER, "officer 99")


def test_a_waiting_try_writes_nothing(store: Store) -> None:
    while judged(store, stranger(1)):
        pass
    with store.reading() as session:
        before = [(row.door, row.wrong, row.tried_at) for row in session.scalars(select(Lockout))]
    assert not judged(store, stranger(1))
    with store.reading() as session:
        after = [(row.door, row.wrong, row.tried_at) for row in session.scalars(select(Lockout))]
    assert after == before


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("", None, True),
        ("unix:", "not an address", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str | None, same: bool) -> None:
    assert (at_address(one) == at_address(other)) == same


def test_tries_are_forgotten_after_a_day(store: Store) -> None:
    with time_machine.travel(NOON, tick=False):
        _tries(store)
    with time_machine.travel(NOON + lockout.FORGOTTEN_AFTER + timedelta(seconds=1), tick=False):
        assert _tries(store) == lockout.TRIES


def test_the_right_secret_starts_anew(store: Store) -> None:
    for _ in range(3):
        for _ in range(lockout.TRIES - 1):
            lockout.count_try(store, DOOR)
        lockout.open_again(store, DOOR)


def test_the_owners_coming_in_gives_a_stranger_no_new_guesses(store: Store) -> None:
    with time_machine.travel(NOON, tick=False):
        while judged(store, stranger(1)):
            pass
        lockout.count_try(store, DOOR, BROWSER)
        lockout.open_again(store, DOOR, BROWSER)
        assert not judged(store, stranger(1))
        assert lockout.wrong_tries(store, DOOR) == lockout.TRIES


def test_an_office_that_signs_in_all_day_is_not_slowed(store: Store) -> None:
    for number in range(3 * lockout.FROM_ONE_ADDRESS):
        lockout.count_try(store, f"officer {number}", stranger(1))
        lockout.open_again(store, f"officer {number}", stranger(1))


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.booleans())
def test_no_wait_is_longer_than_the_longest(
    person: int, here: int, address: int, known: bool
) -> None:
    tried = (Tried(person, NOON), Tried(here, NOON), Tried(address, NOON))
    until = lockout.closed_until(*tried, known=known, moment=NOON)
    assert until is None or NOON < until <= NOON + lockout.CLOSED_FOR


def test_a_clock_that_was_set_back_closes_nothing_for_long() -> None:
    ahead = Tried(9, NOON + timedelta(days=400))
    assert lockout.closed_until(ahead, ahead, NEVER, known=False, moment=NOON) is None


def test_the_table_names_nobody_and_does_not_grow(store: Store) -> None:
    with time_machine.travel(NOON, tick=False):
        for number in range(30):
            lockout.count_try(store, f"officer {number}")
    with time_machine.travel(NOON + timedelta(days=1, seconds=1), tick=False):
        lockout.count_try(store, DOOR)
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Lockout)) == 2
        assert not any(DOOR in door for door in session.scalars(select(Lockout.door)))
