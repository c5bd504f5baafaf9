"""Deleting a person's data: the number, the photos, the cases, the messages.

An erasure also reaches what waits outside the store (`Beyond`), and is written into a book, so that
a backup of before that is restored does not bring the person back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.people import farmers, msisdn
from gateway.privacy import loose
from gateway.privacy.book import Book, Entry
from gateway.store import Store
from gateway.store.base import Unreadable, now
from gateway.store.database import insert_once, vault_of
from gateway.store.models import (
    Case,
    DeliveryReport,
    Erasure,
    Event,
    Farmer,
    MediaMessage,
    Message,
    Photo,
    UssdSession,
)
from gateway.store.photos import PhotoStore

log = logging.getLogger(__name__)

BATCH = 1000
NUMBER_FIELDS = ("from", "phoneNumber", "phone")
"""Fields of kept callbacks that name whose they are."""


@dataclass(frozen=True)
class Beyond:
    """What an erasure reaches outside the store."""

    book: Book
    forget: tuple[Callable[[str], int], ...] = ()
    """Each forgets a number somewhere, and returns how much was there. May raise: then it was
    away, and what it holds ends by itself soon."""


@dataclass(frozen=True)
class Erased:
    cases: int
    photos: int


def erase(store: Store, photos: PhotoStore, phone: str, *, by: str) -> Erased | None:
    """Delete everything tied to a number (E.164), of a farmer or of nobody yet; None when nothing
    is known of it.

    The rows go first: bytes whose deletion then fails are named by nothing any more, and a sweep
    takes them.
    """
    entry = (store.vault.digest(phone), now())
    waiting = _forget_beyond(store, phone)
    with store.transaction() as session:
        found = _erase_rows(session, phone, by, waiting)
        # Also of a number that we do not know: a callback of it may wait on another host.
        _enter(session, entry)
        if (beyond := _beyond(store)) is not None:
            beyond.book.write(entry)
    _forget_beyond(store, phone)  # a hop or a callback that was on its way meanwhile
    if found is None:
        return None
    cases, addresses, gone = found
    loose.remove(store, photos, gone, now())
    return Erased(cases, len(addresses))


def install(store: Store, beyond: Beyond) -> None:
    """Let every erasure in this store reach beyond it."""
    store.engine.dialect.leafline_beyond = beyond  # type: ignore[attr-defined]


def erased_since(session: Session, phone: str, moment: datetime) -> bool:
    """Whether everything of this number was deleted at or after an instant."""
    digest = vault_of(session).digest(phone)
    query = select(Erasure.id).where(Erasure.number_digest == digest, Erasure.at >= moment)
    return session.scalar(query.limit(1)) is not None


def number_in(fields: Mapping[str, str], region: str) -> str | None:
    """Whose a kept callback is, in E.164."""
    for name in NUMBER_FIELDS:
        if phone := msisdn.named(fields.get(name, ""), region):
            return phone
    return None


def replay(store: Store, photos: PhotoStore) -> int:
    """Erase again whom a restored backup brought back, and make book and store say the same.

    Returns: how many numbers were erased again.
    """
    beyond = _beyond(store)
    if beyond is None:
        return 0
    with store.reading() as session:
        rows = session.execute(select(Erasure.number_digest, Erasure.at))
        kept = {(digest, at) for digest, at in rows}
    written = beyond.book.entries()
    beyond.book.write(*sorted(kept - written))
    missing = written - kept
    if not missing:
        return 0
    latest: dict[str, datetime] = {}
    for digest, at in missing:
        latest[digest] = max(at, latest.get(digest, at))
    came_back = _come_back(store, latest)
    for phone in came_back:
        with store.transaction() as session:
            found = _erase_rows(session, phone, "restore", 0)
        loose.remove(store, photos, found[2] if found else (), now())
    with store.transaction() as session:
        for entry in missing:
            _enter(session, entry)
    log.warning("erased_again numbers=%s entries=%s", len(came_back), len(missing))
    return len(came_back)


def _come_back(store: Store, latest: Mapping[str, datetime]) -> set[str]:
    """Numbers in the store of which everything was deleted after they came in."""
    found: set[str] = set()
    for table, number, came in (
        (Farmer, Farmer.phone, Farmer.created_at),
        (Message, Message.address, Message.created_at),
        (MediaMessage, MediaMessage.phone, MediaMessage.received_at),
    ):
        last: Any = None
        while True:
            query = select(table.id, number, came).order_by(table.id).limit(BATCH)
            if last is not None:
                query = query.where(table.id > last)
            with store.reading() as session:
                rows = session.execute(query).all()
            for row_id, phone, at in rows:
                last = row_id
                if phone and not isinstance(phone, Unreadable) and phone not in found:
                    erased = latest.get(store.vault.digest(phone))
                    if erased is not None and at <= erased:
                        found.add(phone)
            if len(rows) < BATCH:
                break
    return found


def _enter(session: Session, entry: Entry) -> None:
    values = {"number_digest": entry[0], "at": entry[1]}
    insert_once(session, Erasure, values, "number_digest", "at")


def _beyond(store: Store) -> Beyond | None:
    beyond: Beyond | None = getattr(store.engine.dialect, "leafline_beyond", None)
    return beyond


def _forget_beyond(store: Store, phone: str) -> int:
    count = 0
    for forget in beyond.forget if (beyond := _beyond(store)) else ():
        try:
            count += forget(phone)
        except Exception as error:
            # No text of the error: it may repeat the number.
            log.error("erasure_not_everywhere error=%s", type(error).__name__)
    return count


def _erase_rows(
    session: Session, phone: str, by: str, waiting: int
) -> tuple[int, set[str], set[str]] | None:
    """(cases, addresses of all photos, addresses that nothing names any more); None when nothing
    was known. `waiting`: how much lay outside the store."""
    addressed = _erase_addressed(session, phone)
    farmer = farmers.find(session, phone)
    if farmer is None and not addressed and not waiting:
        return None
    cases, addresses = 0, set[str]()
    while farmer is not None:  # rarely two: see farmers.find
        more, theirs = _erase_farmer(session, farmer)
        cases, addresses = cases + more, addresses | theirs
        farmer = farmers.find(session, phone)
    session.add(Event(kind="erased", actor=by, data={"cases": cases}))
    return cases, addresses, loose.let_go(session, addresses)


def _erase_addressed(session: Session, phone: str) -> int:
    """Delete what names a number by its digest; returns how many rows."""
    digests = vault_of(session).numbers(phone)
    count = 0
    for table in (Message, DeliveryReport, UssdSession, MediaMessage):
        mine = delete(table).where(table.address_digest.in_(digests))
        if table is Message:
            mine = mine.where(Message.officer_id.is_(None))  # of the office, not of the person
        count += len(session.execute(mine.returning(table.id)).all())
    return count


def _erase_farmer(session: Session, farmer: Farmer) -> tuple[int, set[str]]:
    """Delete her cases and what was said of them; (how many, addresses of their photos)."""
    cases = session.scalars(select(Case.id).where(Case.farmer_id == farmer.id)).all()
    addresses = set(session.scalars(select(Photo.address).where(Photo.case_id.in_(cases))))
    session.execute(delete(Message).where(Message.case_id.in_(cases)))
    session.execute(delete(Farmer).where(Farmer.id == farmer.id))  # the rest follows by cascade
    session.flush()
    return len(cases), addresses
