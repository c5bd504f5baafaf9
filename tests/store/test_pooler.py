"""PgBouncer in transaction mode before PostgreSQL, as it comes and as it is often set up."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from gateway.people import farmers
from gateway.store import Store
from gateway.store.vault import Vault
from rig import servers
from tests.conftest import SECRET, _sqlalchemy


@pytest.fixture(params=["", "ignore_startup_parameters = options,extra_float_digits"])
def pooled(
    postgres: servers.Postgres, postgres_url: str, request: pytest.FixtureRequest
) -> Iterator[Store]:
    pooler = servers.PgBouncer(postgres, request.param)
    name = postgres_url.rpartition("?")[0].rpartition("/")[2]
    store = Store(_sqlalchemy(pooler.url.format(name)), Vault(SECRET))
    yield store
    store.close()
    pooler.close()


def test_many_transactions_at_once_all_succeed(pooled: Store) -> None:
    """The same statements often enough that they would be prepared."""

    def arrive(number: int) -> None:
        with pooled.transaction() as session:
            farmers.find_or_create(session, f"+2507880000{number % 20:02}", lock=True)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(arrive, range(200)))
    with pooled.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM farmer")) == 20


def test_each_transaction_has_the_limits(pooled: Store) -> None:
    for _ in range(3):
        with pooled.transaction() as session:
            limits = [
                session.scalar(text(f"SHOW {name}_timeout")) for name in ("statement", "lock")
            ]
            assert limits == ["1min", "10s"]


def test_what_we_set_is_not_left_to_others(pooled: Store, postgres: servers.Postgres) -> None:
    with pooled.transaction() as session:
        session.execute(text("SELECT 1"))
    with pooled.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar() == "0"


def test_tables_are_migrated_and_the_lock_is_given_back(pooled: Store) -> None:
    for _ in range(2):
        pooled.migrate()
    tables = pooled.tables()
    assert tables.have == tables.head
    with pooled.reading() as session:
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert session.scalar(text(locks)) == 0


def test_an_empty_database_is_migrated(postgres: servers.Postgres) -> None:
    pooler = servers.PgBouncer(postgres)
    postgres.execute("CREATE DATABASE fresh")
    store = Store(_sqlalchemy(pooler.url.format("fresh")), Vault(SECRET))
    store.migrate()
    assert store.tables().trouble == ""
    store.close()
    pooler.close()
    postgres.execute("DROP DATABASE fresh WITH (FORCE)")


def test_without_a_pooler_nothing_is_asked_twice(postgres_url: str) -> None:
    store = Store(_sqlalchemy(postgres_url), Vault(SECRET))
    with store.reading() as session:
        assert session.scalar(text("SHOW lock_timeout")) == "10s"
    assert not store.engine.dialect.leafline_pooler.there  # type: ignore[attr-defined]
    store.close()
