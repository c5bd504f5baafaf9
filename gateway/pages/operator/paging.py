"""Lists by key: a page begins after the last row of the one before, however long the list is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import ColumnElement, and_, or_

ROWS = 50
LONGEST_ID = 18
"""Digits that fit the database's largest number."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")
Key = tuple[datetime, int]


@dataclass(frozen=True)
class Rows(Generic[T]):
    """One page of a list; `next` is the key of the following page, or None."""

    rows: Sequence[T]
    next: str | None


def cut(found: Sequence[T], key: Callable[[T], str]) -> Rows[T]:
    """A page of ROWS rows from one row more than that, which tells whether others follow."""
    shown = found[:ROWS]
    return Rows(shown, key(shown[-1]) if len(found) > ROWS else None)


def written(at: datetime, id_: int) -> str:
    return f"{(at - EPOCH) // timedelta(microseconds=1)}.{id_}"


def asked() -> Key | None:
    """The `before` of the address, written as above; None on the first page or for nonsense."""
    at, _, id_ = request.args.get("before", "").partition(".")
    if not (at.isdecimal() and id_.isdecimal()) or len(at) > 17 or len(id_) > LONGEST_ID:
        return None
    return EPOCH + timedelta(microseconds=int(at)), int(id_)


def number(name: str) -> int | None:
    """An id in the address; None when there is none, or nonsense."""
    typed = request.args.get(name, "")
    return int(typed) if typed.isdecimal() and len(typed) <= LONGEST_ID else None


def before(instant: Any, id_: Any, key: Key) -> ColumnElement[bool]:
    """Rows that come after `key` in a list ordered by instant and id, newest first."""
    at, last = key
    # The first condition follows from the others, but lets an index be searched.
    return and_(instant <= at, or_(instant < at, id_ < last))
