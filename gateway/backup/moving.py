"""Moving a house to another store, such as from SQLite to PostgreSQL, with a proof that all came
along.

Sealed values are copied as they lie: the key ring moves with the settings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    MetaData,
    Result,
    String,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.types import JSON

from gateway.backup import BackupError, pictures, snapshot
from gateway.store import Store
from gateway.store.base import Base, Sealed, SealedFacts, SealedWords, now
from gateway.store.models import Beat
from gateway.store.photos import PhotoStore
from gateway.watch.beats import SILENT

BATCH = 1000
AS_THEY_LIE = {Sealed: LargeBinary, SealedWords: String}


def check_stopped(store: Store) -> None:
    """Raises: BackupError while a process of the house says that it lives."""
    with store.reading() as session:
        lives = session.scalars(select(Beat.process).where(Beat.at > now() - SILENT)).all()
    if lives:
        raise BackupError(
            f"stop the house first: {', '.join(sorted(lives)[:3])} ran within the last "
            f"{SILENT.seconds} seconds"
        )


def move_store(source: Store, target: Store, target_url: str) -> dict[str, int]:
    """Copy all rows into an empty store and compare them; rows of each table.

    Raises: BackupError, StoreError.
    """
    tables = source.tables()
    if tables.have != tables.head:
        raise BackupError(tables.trouble or "a newer release made the store's tables: use that one")
    snapshot.check_empty(target_url)
    target.migrate()
    counts: dict[str, int] = {}
    with source.engine.connect() as old, target.engine.begin() as new:
        for table in _tables():
            new.execute(table.delete())  # what migrations wrote
        for table in _tables():
            counts[table.name] = _copy(old, new, table)
        _continue_numbers(new)
        for table in _tables():
            if _digest(old, table) != _digest(new, table):
                raise BackupError(f"{table.name} did not come across as it was; nothing was moved")
    return counts


def move_photos(store: Store, source: PhotoStore, target: PhotoStore) -> tuple[int, int]:
    """Copy the photos that cases name; (how many, how many of them could not be read).

    Raises: BackupError, PhotoStoreError.
    """
    with store.reading() as session:
        addresses = session.scalars(pictures.SHOWN).all()

    def copy(address: str) -> bool:
        data = pictures.read(source, address)
        if data is not None and target.put(data) != address:
            raise BackupError(f"the photo {address} is another one")
        return data is not None

    return len(addresses), pictures.each(copy, addresses).count(False)


def _tables() -> Sequence[Table]:
    """In an order in which each finds what it refers to; sealed columns as bytes and text."""
    plain = MetaData()
    return [
        Table(
            table.name,
            plain,
            *(
                Column(column.name, _plain(column.type), primary_key=column.primary_key)
                for column in table.columns
            ),
        )
        for table in Base.metadata.sorted_tables
    ]


def _plain(kind: Any) -> Any:
    if isinstance(kind, SealedFacts | JSON):
        return JSON(none_as_null=True)  # what is not there stays so, and does not become `null`
    return AS_THEY_LIE[type(kind)]() if type(kind) in AS_THEY_LIE else kind


def _rows(connection: Connection, table: Table) -> Result[Any]:
    keys = list(table.primary_key.columns)
    return connection.execution_options(yield_per=BATCH).execute(select(table).order_by(*keys))


def _copy(old: Connection, new: Connection, table: Table) -> int:
    count = 0
    for batch in _rows(old, table).mappings().partitions():
        new.execute(insert(table), [dict(row) for row in batch])
        count += len(batch)
    return count


def _continue_numbers(connection: Connection) -> None:
    """PostgreSQL counts on after the largest number that came across."""
    if connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    for table in _tables():
        for column in inspect(connection).get_columns(table.name):
            default = str(column.get("default") or "")
            if not default.startswith("nextval") and not column.get("identity"):
                continue
            highest = connection.scalar(select(func.max(table.c[column["name"]])))
            sequence = "SELECT setval(pg_get_serial_sequence(:table, :column), :number, :used)"
            connection.execute(
                text(sequence),
                {
                    "table": quote(table.name),
                    "column": column["name"],
                    "number": highest or 1,
                    "used": highest is not None,
                },
            )


def _digest(connection: Connection, table: Table) -> str:
    """Of all rows; their order, which a collation decides, is of no account."""
    total = 0
    for row in _rows(connection, table):
        line = "\x1f".join(map(_word, row)).encode()
        total = (total + int.from_bytes(hashlib.sha256(line).digest())) % (1 << 256)
    return f"{total:064x}"


def _word(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_word(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_word, value)) + "]"
    return repr(value)
