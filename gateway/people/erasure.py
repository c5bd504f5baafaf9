"""Deleting a person's data: the number, the photos, the cases, the messages."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.people import farmers
from gateway.store import Store
from gateway.store.database import vault_of
from gateway.store.models import (
    Case,
    DeliveryReport,
    Event,
    Farmer,
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
    """Delete everything tied to a number (E.164); None when nothing is known of it.

    The rows go first: bytes whose deletion then fails are named by nothing any more, and a sweep
    takes them.
    """
    with store.transaction() as session:
        farmer = farmers.find(session, phone)
        if farmer is None:
            return None
        addresses = set(
            session.scalars(select(Photo.address).join(Case).where(Case.farmer_id == farmer.id))
        )
        cases = _erase_rows(session, farmer, phone)
        # The same picture may belong to another farmer's case too.
        shared = set(session.scalars(select(Photo.address).where(Photo.address.in_(addresses))))
        session.add(Event(kind="erased", actor=by, data={"cases": cases}))
    for address in addresses - shared:
        photos.delete(address)
    return Erased(cases, len(addresses))


def _erase_rows(session: Session, farmer: Farmer, phone: str) -> int:
    cases = session.scalars(select(Case.id).where(Case.farmer_id == farmer.id)).all()
    digest = vault_of(session).digest(phone)
    for table in (Message, DeliveryReport, UssdSession):
        session.execute(delete(table).where(table.address_digest == digest))
    session.execute(delete(Message).where(Message.case_id.in_(cases)))
    session.execute(delete(Farmer).where(Farmer.id == farmer.id))  # the rest follows by cascade
    session.flush()
    return len(cases)
