"""One door to the database: SQLite in WAL mode, or PostgreSQL."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, delete, event, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from gateway import words
from gateway.store.base import Base
from gateway.store.budget import patience, waiting
from gateway.store.house_fact import HouseFact
from gateway.store.photos import PhotoStoreError
from gateway.store.seal_key import SealKey
from gateway.store.vault import Vault

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 10
"""How long a writer waits for another on SQLite, unless the caller has less patience."""
MIGRATION_SECONDS = 24 * 3600.0
MIGRATION_LOCK = 5323475
"""Any constant: it only has to be the same for all processes."""
MIGRATION_WAIT = 0.2
WORKS_SINCE = "0170"
"""The oldest release, by its head, that works on the tables as they are now. It moves on when a
migration takes away or changes what that release reads or writes."""
SINCE = "works_since"
"""Under what name the store keeps it, for releases that are older than its tables."""

log = logging.getLogger("leafline.store")


class StoreError(Exception):
    """The store cannot be used. The text is one line that says what to do."""


@dataclass(frozen=True)
class Tables:
    """The tables as they are, seen from this release."""

    have: str | None
    """Their revision; None before the first migration."""
    head: str
    """The newest revision that this release knows."""
    since: str
    """Of tables that a newer release made: the oldest release that works on them, by its head."""

    @property
    def newer(self) -> bool:
        return bool(self.since)

    @property
    def trouble(self) -> str:
        """Why this release cannot work on them, in one line; empty when it can."""
        if self.newer:
            if self.since <= self.head:
                return ""
            return (
                f"a newer release made the store's tables ({self.have}), and this one "
                f"({self.head}) cannot read them: start a release of {self.since} or later"
            )
        if self.have != self.head:
            return "the store is not up to date: run `leafline db upgrade`"
        return ""

    def check(self) -> None:
        """Raises: StoreError when this release cannot work on them."""
        if self.trouble:
            raise StoreError(self.trouble)
        if self.newer:
            log.warning("store_is_newer revision=%s ours=%s", self.have, self.head)


class Store:
    """Sessions on one engine. Sealed columns open with `vault`."""

    def __init__(self, url: str, vault: Vault) -> None:
        """Raises: StoreError when the URL names no database we know."""
        self.vault = vault
        try:
            self.engine = _engine(url)
        except (ArgumentError, ImportError):
            raise StoreError(
                "DATABASE_URL is not understood; use postgresql://user:password@host/name"
            ) from None
        self.engine.dialect.leafline_vault = vault  # type: ignore[attr-defined]
        vault.lasting_from(self._lasting_key)
        self._reader = self.engine.execution_options(leafline_reading=True)

    def _lasting_key(self) -> bytes | None:
        with self.reading() as session:
            if not inspect(session.connection()).has_table(SealKey.__tablename__):
                return None  # not migrated yet
            return lasting_key(session, self.vault)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end, or rolls back when anything is raised."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for questions only: on SQLite it never waits for a writer."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    def migrate(self) -> None:
        """Bring the tables to the newest revision. Safe to run from several processes at once.
        Those that a newer release made, and this one can work on, stay as they are.

        Raises: StoreError.
        """
        tables = self.tables()
        if tables.newer:
            tables.check()
            return
        try:
            with patience(MIGRATION_SECONDS):
                if self.engine.dialect.name == "postgresql":
                    self._migrate_postgresql()
                    return
                # Patience first: on SQLite the beginning is what waits.
                with self.engine.begin() as connection:
                    command.upgrade(_alembic(connection), "head")
                    _say_since(connection, WORKS_SINCE)
        except SQLAlchemyError as error:
            raise StoreError(_reason(error)) from None

    def _migrate_postgresql(self) -> None:
        """A transaction a migration, so that one may make its indexes while others write.

        The lock is that of a transaction which stays open beside them, so that it holds behind a
        pooler too. It is asked for again and again rather than waited for: whoever waits in a
        statement has a snapshot, for whose end the making of such an index waits.
        """
        from gateway.store import postgres

        without_limits = self.engine.execution_options(leafline_limits=False)
        with without_limits.connect() as guard, without_limits.connect() as connection:
            try:
                while not guard.exec_driver_sql(
                    f"SELECT pg_try_advisory_xact_lock({MIGRATION_LOCK})"
                ).scalar():
                    guard.rollback()
                    time.sleep(MIGRATION_WAIT)
                if not postgres.pooled(self.engine):
                    for limit in ("statement_timeout", "lock_timeout"):
                        connection.exec_driver_sql(f"SET {limit} = 0")
                    connection.commit()
                command.upgrade(_alembic(connection), "head")
                _say_since(connection, WORKS_SINCE)
                connection.commit()
            finally:
                connection.invalidate()  # and with it the limits

    def draft_migration(self, message: str, revision: str) -> None:
        """For developers: write the migration from the tables as they are to the models."""
        with self.engine.begin() as connection:
            command.revision(_alembic(connection), message, autogenerate=True, rev_id=revision)

    def downgrade(self, revision: str) -> None:
        """Bring the tables back to an older revision; what only newer ones hold is lost.

        Raises: StoreError.
        """
        if self.tables().newer or revision not in revisions():
            raise StoreError(f"this release does not know the way to revision {revision}")
        try:
            with patience(MIGRATION_SECONDS), self.engine.begin() as connection:
                if inspect(connection).has_table(HouseFact.__tablename__):
                    _say_since(connection, revision)
                command.downgrade(_alembic(connection), revision)
        except (SQLAlchemyError, CommandError) as error:
            raise StoreError(_reason(error)) from None

    def tables(self) -> Tables:
        """At which revision they are, and what that means for this release. Raises: StoreError."""
        known = revisions()
        try:
            with self._reader.connect() as connection:
                have = MigrationContext.configure(connection).get_current_revision()
                since = ""
                if have not in (None, *known):
                    query = select(HouseFact.value).where(HouseFact.name == SINCE)
                    since = connection.scalar(query) or have or ""
        except SQLAlchemyError as error:
            raise StoreError(_reason(error)) from None
        return Tables(have, known[-1], since)

    def close(self) -> None:
        self.engine.dispose()


@cache
def revisions() -> tuple[str, ...]:
    """Those that this release knows, oldest first."""
    steps = ScriptDirectory.from_config(_alembic()).walk_revisions()
    return tuple(step.revision for step in steps)[::-1]


def away(error: BaseException) -> bool:
    """Whether the store, or that of photos, could not be reached or written just now: the same may
    work later.

    Anything else (a value it refuses, a fault of ours) fails again however often it is tried.
    """
    refusals = (DataError, IntegrityError, ProgrammingError, NotSupportedError)
    if isinstance(error, DatabaseError):
        return not isinstance(error, refusals)
    return isinstance(error, InterfaceError | PoolTimeout | StoreError | PhotoStoreError)


def vault_of(session: Session) -> Vault:
    """The vault of the store that this session belongs to."""
    vault: Vault = session.get_bind().dialect.leafline_vault  # type: ignore[attr-defined]
    return vault


def lasting_key(session: Session, vault: Vault) -> bytes | None:
    """The key of lasting digests, as the store keeps it for one of our keys."""
    for name, sealed in session.execute(select(SealKey.name, SealKey.lasting)):
        if (lasting := vault.open_lasting(name, sealed)) is not None:
            return lasting
    return None


def insert_once(session: Session, model: type[Base], values: dict[str, Any], *unique: str) -> bool:
    """Insert a row unless one with the same `unique` columns is there; True when it was made.

    The unique key of the table decides, so it holds in parallel too. Without `unique`: any of its
    unique keys, also one over some rows only.
    """
    statement = _insert(session, model, values).on_conflict_do_nothing(
        index_elements=unique or None
    )
    # What comes back, not the row count: that is -1 where the driver returns generated keys.
    made = session.execute(statement.returning(*model.__table__.primary_key))
    return made.first() is not None


def insert_or_set(
    session: Session,
    model: type[Base],
    values: dict[str, Any],
    *unique: str,
    instead: dict[str, Any] | None = None,
) -> Any:
    """Insert a row, or change the one with the same `unique` columns; whoever holds that is waited
    for.

    Args:
        instead: what such a row is given, expressions of its columns too; else the same values.

    Returns: the row as it is now.
    """
    new = {name: value for name, value in values.items() if name not in unique}
    statement = _insert(session, model, values).on_conflict_do_update(
        index_elements=unique, set_=new if instead is None else instead
    )
    returning = statement.returning(*model.__table__.columns)
    return session.execute(returning).one()


def _insert(session: Session, model: type[Base], values: dict[str, Any]) -> Any:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(model).values(values)


def _say_since(connection: Connection, revision: str) -> None:
    connection.execute(delete(HouseFact).where(HouseFact.name == SINCE))
    connection.execute(insert(HouseFact).values(name=SINCE, value=revision))


def _alembic(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _reason(error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    return f"the store cannot be used: {cause}; check DATABASE_URL, or the home folder for SQLite"


def _engine(url: str) -> Engine:
    # hide_parameters: the text of an error must not repeat numbers and messages.
    if make_url(url).get_backend_name() == "sqlite":
        # Opening a file is cheap: nobody waits for a connection that another thread has.
        engine = create_engine(
            url,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            max_overflow=-1,
            hide_parameters=True,
        )
        _install_sqlite(engine)
        event.listen(engine, "before_cursor_execute", _clean_values, retval=True)
        return engine
    from gateway.store import postgres  # a house on SQLite does without its driver

    named = make_url(url).query
    engine = create_engine(
        url,
        connect_args={name: v for name, v in postgres.DEFAULTS.items() if name not in named},
        pool_size=10,
        max_overflow=20,
        pool_timeout=postgres.POOL_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    postgres.install(engine)
    event.listen(engine, "before_cursor_execute", _clean_values, retval=True)
    return engine


def _clean_values(
    _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    """Whatever comes this far without having been cleaned must not fail here, on one kind of
    store only."""
    return statement, _cleaned(values)


def _cleaned(values: Any) -> Any:
    if isinstance(values, str):
        return words.clean(values)
    if isinstance(values, dict):
        return {name: _cleaned(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(map(_cleaned, values))
    return values


def _install_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late; see below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: in WAL mode NORMAL may lose the last commits in a power cut, and what we
        # answered "accepted" must survive one.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        # IMMEDIATE: a reader that turns writer half-way fails at once when another writes,
        # whatever the busy timeout. A writer that says so first waits its turn.
        reading = connection.get_execution_options().get("leafline_reading", False)
        with waiting(BUSY_SECONDS) as seconds:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={round(1000 * seconds)}")
            connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
