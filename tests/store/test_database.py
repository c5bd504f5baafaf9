from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from gateway.people import farmers
from gateway.store import Store, StoreError
from gateway.store.database import MIGRATION_SECONDS, _alembic, revisions
from gateway.store.models import Base, Event, Farmer, HouseFact, MediaMessage
from gateway.store.vault import Vault

PHONE = "+250788000001"


def test_a_number_is_sealed_in_the_table_and_found_by_its_digest(store: Store) -> None:
    with store.transaction() as session:
        farmers.find_or_create(session, PHONE)
    with store.reading() as session:
        raw = session.execute(text("SELECT phone, phone_digest FROM farmer")).one()
        assert b"788000001" not in bytes(raw[0])
        assert "788000001" not in raw[1]
        found = farmers.find(session, PHONE)
        assert found is not None
        assert found.phone == PHONE


def test_one_farmer_however_many_arrive_at_once(store: Store) -> None:
    def arrive(_: int) -> str:
        with store.transaction() as session:
            return farmers.find_or_create(session, PHONE, lock=True).id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(arrive, range(16)))) == 1


def test_an_error_rolls_everything_back(store: Store) -> None:
    def stumble() -> None:
        with store.transaction() as session:
            farmers.find_or_create(session, PHONE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stumble()
    with store.reading() as session:
        assert session.scalar(select(Farmer)) is None


def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    at = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    with store.transaction() as session:
        session.add(Event(kind="test", actor="test", at=at))
    with store.reading() as session:
        event = session.scalars(select(Event)).one()
        assert event.at == at
        assert event.at.tzinfo is UTC


def test_a_naive_time_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="naive"), store.transaction() as session:
        session.add(Event(kind="test", actor="test", at=datetime(2026, 3, 1)))  # noqa: DTZ001


def test_foreign_keys_hold(store: Store) -> None:
    with pytest.raises(IntegrityError), store.transaction() as session:
        session.add(Event(kind="test", actor="test", case_id=404))


def test_migrations_lead_to_the_models(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, Base.metadata)
    assert differences == []


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(_alembic()).get_heads()) == 1


def test_migrating_twice_changes_nothing(store: Store) -> None:
    store.migrate()
    tables = store.tables()
    assert tables.have == tables.head


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("nonsense", id="no URL"),
        pytest.param("mysql://root@localhost/x", id="a database without a driver here"),
    ],
)
def test_a_url_that_is_none_is_named(url: str) -> None:
    with pytest.raises(StoreError, match="DATABASE_URL"):
        Store(url, Vault("k" * 40))


def test_a_store_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}", Vault("k" * 40))
    with pytest.raises(StoreError, match="check DATABASE_URL, or the home folder"):
        store.migrate()


def test_media_messages_of_before_are_given_their_numbers_digest(store: Store) -> None:
    with store.transaction() as session:
        session.add(MediaMessage(key="twilio:MM1", phone=PHONE, addresses=""))
        session.add(MediaMessage(key="twilio:MM2", phone=PHONE, addresses=""))
    with store.engine.begin() as connection:
        command.downgrade(_alembic(connection), "0080")
        foreign = {"phone": Vault("another key" * 4).seal_text(PHONE)}
        update = "UPDATE media_message SET phone = :phone WHERE key = 'twilio:MM2'"
        connection.execute(text(update), foreign)
    store.migrate()
    with store.reading() as session:
        found = session.scalars(select(MediaMessage.address_digest).order_by(MediaMessage.id))
        assert found.all() == [store.vault.number(PHONE), None]


def test_a_migration_waits_for_a_writer_as_long_as_it_takes(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []

    def look(config: Config, _revision: str) -> None:
        waited.append(
            config.attributes["connection"].exec_driver_sql("PRAGMA busy_timeout").scalar()
        )

    monkeypatch.setattr(command, "upgrade", look)
    store = Store(sqlite_url, Vault("k" * 40))
    store.migrate()
    store.close()
    assert waited[0] > 1000 * (MIGRATION_SECONDS - 60)


@pytest.fixture
def older(store: Store) -> Store:
    """The store as it looks to a release that does not know its newest revision."""
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9990'"))
    return store


def works_since(store: Store, revision: str) -> None:
    with store.transaction() as session:
        session.merge(HouseFact(name="works_since", value=revision))


def test_tables_of_a_newer_release_that_changed_nothing_for_us_are_worked_on(older: Store) -> None:
    works_since(older, revisions()[-1])
    tables = older.tables()
    assert (tables.trouble, tables.newer, tables.have) == ("", True, "9990")
    older.migrate()
    assert older.tables() == tables


@pytest.mark.parametrize("since", ["9990", None])
def test_tables_that_we_cannot_read_are_refused_in_one_line(
    older: Store, since: str | None
) -> None:
    with older.transaction() as session:
        if since is None:  # a release that says nothing of it
            session.execute(text("DELETE FROM house_fact"))
    if since:
        works_since(older, since)
    with pytest.raises(StoreError, match="a newer release made the store's tables"):
        older.migrate()
    assert "start a release of 9990 or later" in older.tables().trouble


def test_a_migration_says_which_releases_work_on_it(store: Store) -> None:
    store.migrate()
    with store.reading() as session:
        fact = session.get(HouseFact, "works_since")
        assert fact is not None
        assert fact.value in revisions()


def test_there_and_back_again(store: Store) -> None:
    *_, before, head = revisions()
    with store.transaction() as session:
        farmers.find_or_create(session, PHONE)
    store.downgrade(before)
    assert store.tables().have == before
    assert "run `leafline db upgrade`" in store.tables().trouble
    store.migrate()
    assert store.tables().have == head
    with store.reading() as session:
        assert farmers.find(session, PHONE) is not None
    with pytest.raises(StoreError, match="does not know the way"):
        store.downgrade("8888")
