"""What all tables share: the declarative base and the column types of this house."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

from gateway.store.vault import SealBroken

if TYPE_CHECKING:
    from gateway.store.vault import Vault


SEALED = "sealed"
"""The only name in an object of JSON that is sealed."""


def now() -> datetime:
    return datetime.now(UTC)


class Unreadable(str):
    """Stands where sealed text does not open: the key was changed, or the bytes were.

    The row around it can still be read, shown and ended. People see a question mark; whoever acts
    on the text asks `isinstance` first.
    """

    __slots__ = ()

    def __new__(cls) -> Unreadable:
        return super().__new__(cls, "?")


class Sealed(TypeDecorator[str]):
    """Text encrypted at rest. The vault rides on the engine's dialect (see Store).

    What does not open reads as `Unreadable`, and stays so where it is copied to.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        if isinstance(value, Unreadable):
            return b""
        return None if value is None else _vault(dialect).seal_text(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        try:
            return None if value is None else _vault(dialect).open_text(value)
        except SealBroken:
            return Unreadable()


class SealedWords(TypeDecorator[str]):
    """Sealed text in a column that held it plainly before; an old plain value reads as it is."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or isinstance(value, Unreadable):
            return None
        return _vault(dialect).seal_marked(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        try:
            return None if value is None else _vault(dialect).open_marked(value)
        except SealBroken:
            return Unreadable()


class SealedFacts(TypeDecorator[dict[str, Any]]):
    """A sealed object in a column of JSON that held it plainly before.

    What does not open reads as no facts.
    """

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self, value: dict[str, Any] | None, dialect: Dialect
    ) -> dict[str, str] | None:
        if value is None:
            return None
        return {SEALED: _vault(dialect).seal_marked(json.dumps(value))}

    def process_result_value(
        self, value: dict[str, Any] | None, dialect: Dialect
    ) -> dict[str, Any] | None:
        if value is None or set(value) != {SEALED}:
            return value
        try:
            facts: dict[str, Any] = json.loads(_vault(dialect).open_marked(value[SEALED]))
        except SealBroken:
            return {}
        return facts


def _vault(dialect: Dialect) -> Vault:
    return cast("Vault", dialect.leafline_vault)  # type: ignore[attr-defined]


class Utc(TypeDecorator[datetime]):
    """An aware instant. SQLite forgets the zone, so it is put back; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the store")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Identity = Annotated[
    int, mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
]
Digest = Annotated[str, mapped_column(String(64))]
Secret = Annotated[str, mapped_column(Sealed)]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
