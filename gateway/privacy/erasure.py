"""Deleting a person's data: the number, the photos, the cases, the messages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.people import farmers
from gateway.privacy import loose
from gateway.store import Store
from gateway.store.database import vault_of
from gateway.store.models import (
    Case,
    DeliveryReport,
    Event,
    Farmer,
    MediaMessage,
    Message,
    Photo,
    UssdSession,
)
from gateway.store.photos import PhotoStore


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
    with store.transaction() as session:
        addressed = _erase_addressed(session, phone)
        farmer = farmers.find(session, phone)
        if farmer is None and not addressed:
            return None
        cases, addresses = (0, set[str]()) if farmer is None else _erase_farmer(session, farmer)
        gone = addresses - named(session, addresses)
        loose.note(session, *gone)
        session.add(Event(kind="erased", actor=by, data={"cases": cases}))
    for address in gone:
        photos.delete(address)
    if gone:
        with store.transaction() as session:
            loose.forget(session, gone)
    return Erased(cases, len(addresses))


def named(session: Session, addresses: Collection[str]) -> set[str]:
    """Those addresses whose bytes a photo of somebody's case shows, also of one who trains.

    A forgotten case keeps the row of its photo, but no claim to the bytes.
    """
    query = select(Photo.address).join(Case).where(Photo.address.in_(addresses))
    return set(session.scalars(query.where(Case.farmer_id != farmers.NOBODY)))


def _erase_addressed(session: Session, phone: str) -> int:
    """Delete what names a number by its digest; returns how many rows."""
    digest = vault_of(session).digest(phone)
    count = 0
    for table in (Message, DeliveryReport, UssdSession, MediaMessage):
        mine = delete(table).where(table.address_digest == digest)
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
