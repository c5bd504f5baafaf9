"""A store that hangs: whoever waits for it goes on in time, and it is well again afterwards."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import OperationalError

from gateway.store import Store, away, budget, patience
from gateway.store.models import Event
from gateway.store.vault import Vault
from rig.house import wait_until
from rig.servers import Postgres
from tests.conftest import SECRET

SHORT = 0.3
SOON = 3.0
"""Far more than an impatient caller waits, far less than a patient one."""


def write(store: Store, kind: str = "test") -> None:
    with store.transaction() as session:
        session.add(Event(kind=kind, actor="test"))


def written(store: Store) -> list[str]:
    with store.reading() as session:
        return list(session.scalars(select(Event.kind).order_by(Event.id)))


def seconds_until_away(act: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(OperationalError) as caught:
        act()
    assert away(caught.value)
    return time.monotonic() - began


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url, Vault(SECRET))
    yield store
    store.close()


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Another process writes: a backup, or a hand in the store."""
    with closing(sqlite3.connect(str(store.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_an_impatient_writer_does_not_wait_for_the_lock(sqlite: Store) -> None:
    with locked(sqlite), patience(SHORT):
        assert seconds_until_away(lambda: write(sqlite)) < SOON
        assert written(sqlite) == []  # who only reads need not wait
    write(sqlite)
    assert written(sqlite) == ["test"]


def test_impatience_ends_with_its_block(sqlite: Store) -> None:
    with patience(0.0):
        pass
    with sqlite.transaction() as session:
        busy = session.execute(text("PRAGMA busy_timeout")).scalar_one()
    assert busy == 10_000


def test_patience_is_spent_by_the_store_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    with patience(5.0):
        clock[0] += 60  # a slow upload
        with budget.waiting(10.0) as seconds:
            assert seconds == 5.0
            clock[0] += 2
        with patience(60), budget.waiting(10.0) as seconds:
            assert seconds == 3.0
            clock[0] += 4
        with budget.waiting(10.0) as seconds:
            assert seconds == 0.0
    with budget.waiting(10.0) as seconds:
        assert seconds == 10.0


def test_of_two_patiences_the_shorter_holds(sqlite: Store) -> None:
    with locked(sqlite), patience(SHORT), patience(60):
        assert seconds_until_away(lambda: write(sqlite)) < SOON


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[Store]:
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)
    store = Store(url, Vault(SECRET))
    yield store
    store.close()


def test_a_stopped_server_holds_nobody_up(on_postgres: Store, postgres: Postgres) -> None:
    write(on_postgres, "before")
    seconds: list[float] = []
    with postgres.stopped():
        with patience(SHORT):  # a connection that was there
            assert seconds_until_away(lambda: write(on_postgres)) < SOON
        for _ in range(5):  # none: connecting takes two seconds at least, so one tries for all
            with patience(SHORT):
                seconds.append(seconds_until_away(lambda: write(on_postgres)))
    assert max(seconds) < SOON
    assert sorted(seconds)[2] < SHORT
    wait_until(lambda: well(on_postgres), "the store to be well again")
    write(on_postgres, "after")
    assert written(on_postgres) == ["before", "after"]


def well(store: Store) -> bool:
    try:
        written(store)
    except OperationalError:
        return False
    return True


def test_a_server_stopped_in_the_middle_of_a_transaction(
    on_postgres: Store, postgres: Postgres
) -> None:
    def half() -> None:
        with on_postgres.transaction() as session:
            session.add(Event(kind="half", actor="test"))
            session.flush()
            with postgres.stopped(), patience(SHORT):
                session.execute(text("SELECT 1"))

    assert seconds_until_away(half) < SOON
    wait_until(lambda: well(on_postgres), "the store to be well again")
    write(on_postgres, "whole")
    assert written(on_postgres) == ["whole"]


def test_a_slow_server_that_lives_is_waited_for(on_postgres: Store) -> None:
    with on_postgres.reading() as session, patience(5.0):
        assert session.execute(text("SELECT 1 FROM pg_sleep(0.4)")).scalar_one() == 1


def test_the_server_ends_what_takes_too_long_itself(on_postgres: Store) -> None:
    with on_postgres.reading() as session:
        shown = [session.scalar(text(f"SHOW {n}")) for n in ("statement_timeout", "lock_timeout")]
    assert shown == ["1min", "10s"]


def test_what_the_url_names_is_left_alone(on_postgres: Store) -> None:
    url = make_url(on_postgres.engine.url).update_query_dict({"options": "-c lock_timeout=2s"})
    store = Store(url.render_as_string(hide_password=False), Vault(SECRET))
    with store.reading() as session:
        assert session.scalar(text("SHOW lock_timeout")) == "2s"
        assert session.scalar(text("SHOW statement_timeout")) == "0"
    store.close()
