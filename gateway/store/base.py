"""What all tables share: the declarative base and the column types of this house."""

from __future__ import annotations

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
Data = Annotated[dict[str, Any], mapped_column(JSON)]


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
