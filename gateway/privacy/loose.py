"""Loose photos: bytes that may lie in the photo store without a photo of a case.

An upload writes down where its bytes will lie before they do, so that nobody has to list a bucket
to find what was never accepted. Nothing else is ever taken for an orphan.

Before anything is deleted, store and photos are compared: each knows the other's house and how
often it was counted. A store that was restored counts less than its photos do, and a staging house
is another one: then nothing goes, and the operator is asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from gateway.people import farmers
from gateway.store import Store
from gateway.store.base import now
from gateway.store.database import insert_once, insert_or_set
from gateway.store.models import Case, HouseFact, LoosePhoto, Photo
from gateway.store.photos import PhotoStore

BATCH = 500
FEW = 20
SHARE = 100
"""So many photos may be deleted at once, or one of so many that there ever were."""
HOUSE, COUNT, ALLOWED = "house", "photos_counted", "photos_may_go"
ANOTHER = "these photos are of another house: correct LEAFLINE_PHOTOS_URL"
OLDER = "the store is older than its photos: was it restored?"
CLAIM = "if all is right, run `leafline photos claim`"


def note(session: Session, *addresses: str) -> None:
    """Bytes will lie there, or will not any more, when a later transaction says so. Since now,
    also where they were noted before; whoever removes them just now is waited for."""
    for address in addresses:
        insert_or_set(session, LoosePhoto, {"address": address, "since": now()}, "address")


def forget(session: Session, addresses: Collection[str]) -> None:
    """A case names them."""
    session.execute(delete(LoosePhoto).where(LoosePhoto.address.in_(addresses)))


def let_go(session: Session, addresses: set[str]) -> set[str]:
    """Note those of these addresses that nothing names any more, and return them: to be removed
    after the commit."""
    gone = addresses - named(session, addresses)
    note(session, *sorted(gone))
    return gone


def remove(store: Store, photos: PhotoStore, addresses: Iterable[str], before: datetime) -> int:
    """Delete bytes that were noted before an instant, and not anew since: an upload of the same may
    be on its way. A crash leaves the rest to the sweep. Returns how many.

    The row is held meanwhile, so that who notes it anew writes the bytes after they were deleted.
    """
    count = 0
    for address in addresses:
        with store.transaction() as session:
            row = session.get(LoosePhoto, address, with_for_update=True)
            if row is not None and row.since <= before:
                photos.delete(address)
                session.delete(row)
                count += 1
    return count


def due(session: Session, before: datetime) -> list[str]:
    """Some that nothing names and that were noted before an instant."""
    query = select(LoosePhoto.address).where(LoosePhoto.since < before, ~_named())
    return list(session.scalars(query.order_by(LoosePhoto.since).limit(BATCH)))


def settle(session: Session, before: datetime) -> None:
    """Forget those that a case names after all."""
    some = select(LoosePhoto.address).where(LoosePhoto.since < before, _named()).limit(BATCH)
    session.execute(delete(LoosePhoto).where(LoosePhoto.address.in_(some.scalar_subquery())))


def too_many(session: Session, before: datetime) -> str:
    """Why the loose photos are not deleted without a person's word; empty when they may go."""
    query = select(func.count()).select_from(LoosePhoto)
    count = session.scalar(query.where(LoosePhoto.since < before, ~_named())) or 0
    known = session.scalar(select(func.max(Photo.id))) or 0
    allowed = int(_fact(session, ALLOWED) or 0)
    if count <= max(FEW, known // SHARE, allowed):
        return ""
    return f"{count} photos would be deleted; {CLAIM}"


def refusal(store: Store, photos: PhotoStore) -> str:
    """Why nothing may be deleted from these photos just now; empty when it may.

    Raises: PhotosAway.
    """
    house, _, counted = photos.mark().partition(" ")
    with store.reading() as session:
        ours, count = _fact(session, HOUSE), int(_fact(session, COUNT) or 0)
    if not house:
        return ""
    if house != ours:
        return f"{ANOTHER}; {CLAIM}"
    return f"{OLDER} {CLAIM}" if _number(counted) > count else ""


def count(store: Store, photos: PhotoStore, *, at_least: int = 0) -> None:
    """One more round in which store and photos agreed; the store is first to know."""
    with store.transaction() as session:
        insert_once(session, HouseFact, {"name": HOUSE, "value": uuid.uuid4().hex}, "name")
        house = _fact(session, HOUSE)
        number = max(int(_fact(session, COUNT) or 0), at_least) + 1
        _set(session, COUNT, str(number))
        _set(session, ALLOWED, "0")
    photos.set_mark(f"{house} {number}")


def claim(store: Store, photos: PhotoStore) -> int:
    """A person says: these photos are this store's, and what is loose may go. How many that is."""
    _, _, counted = photos.mark().partition(" ")
    count(store, photos, at_least=_number(counted))
    with store.transaction() as session:
        loose = session.scalar(select(func.count()).select_from(LoosePhoto)) or 0
        _set(session, ALLOWED, str(loose))
    return loose


def named(session: Session, addresses: Collection[str]) -> set[str]:
    """Those addresses whose bytes a photo of somebody's case shows, also of one who trains.

    A forgotten case keeps the row of its photo, but no claim to the bytes.
    """
    query = select(Photo.address).join(Case).where(Photo.address.in_(addresses), *_claims())
    return set(session.scalars(query))


def _named() -> ColumnElement[bool]:
    shown = exists().where(Photo.address == LoosePhoto.address, Photo.case_id == Case.id)
    return shown.where(*_claims()).correlate(LoosePhoto)


def _claims() -> tuple[ColumnElement[bool], ...]:
    return Photo.gone_at.is_(None), Case.farmer_id != farmers.NOBODY


def _fact(session: Session, name: str) -> str | None:
    return session.scalar(select(HouseFact.value).where(HouseFact.name == name))


def _set(session: Session, name: str, value: str) -> None:
    session.merge(HouseFact(name=name, value=value))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
