"""Lists by key: a page begins after the last row of the one before, however long the list is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import Select, or_
from sqlalchemy.orm import Session

ROWS = 50
LONGEST_ID = 18
"""Digits that fit the database's largest number."""
LONGEST_INSTANT = 17
"""Digits of microseconds that a datetime can tell."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")
Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True)
class Rows(Generic[T]):
    """One page of a list; `next` is the key of the following page, or None."""

    rows: Sequence[T]
    next: str | None


def cut(found: Sequence[T], key: Callable[[T], str]) -> Rows[T]:
    """A page of ROWS rows from one row more than that, which tells whether others follow."""
    shown = found[:ROWS]
    return Rows(shown, key(shown[-1]) if len(found) > ROWS else None)


def pairs(
    session: Session, query: Select[*tuple[Any, ...]], key: Callable[[Any], str]
) -> Rows[Any]:
    """A page of rows of several columns; `key` is of what stands in the first."""
    found = [tuple(row) for row in session.execute(query)]
    return cut(found, lambda row: key(row[0]))


def oldest_first(query: Query, id_: Any) -> Query:
    """One page and a row of a list by id, from `after` in the address."""
    key = _asked("after")
    if key is not None:
        query = query.where(id_ > key[1])
    return query.order_by(id_).limit(ROWS + 1)


def newest_first(query: Query, id_: Any, instant: Any = None) -> Query:
    """One page and a row of a list by instant and id, or by id alone, from `before` in the
    address."""
    key = _asked("before")
    if instant is None:
        if key is not None:
            query = query.where(id_ < key[1])
        return query.order_by(id_.desc()).limit(ROWS + 1)
    if key is not None and key[0] is not None:
        at, last = key
        # The first condition follows from the others, but lets an index be searched.
        query = query.where(instant <= at, or_(instant < at, id_ < last))
    return query.order_by(instant.desc(), id_.desc()).limit(ROWS + 1)


def written(id_: int, at: datetime | None = None) -> str:
    """The key of a row; `at` for a list that is ordered by an instant."""
    return str(id_) if at is None else f"{(at - EPOCH) // timedelta(microseconds=1)}.{id_}"


def _asked(name: str) -> tuple[datetime | None, int] | None:
    """The key in the address, as written above; None on the first page or for nonsense."""
    at, dot, id_ = request.args.get(name, "").rpartition(".")
    if not id_.isdecimal() or len(id_) > LONGEST_ID:
        return None
    if not dot:
        return None, int(id_)
    if not at.isdecimal() or len(at) > LONGEST_INSTANT:
        return None
    return EPOCH + timedelta(microseconds=int(at)), int(id_)
