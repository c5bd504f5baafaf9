"""Sealing anew with the key that writes, in batches, while the house runs.

A row is done when everything in it is sealed with that key, so a run that was cut off goes on where
it stopped. Photos remember how far they are in the row of the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    String,
    Table,
    and_,
    cast,
    delete,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from gateway.store import Store, keys
from gateway.store.base import Base, Sealed, SealedFacts, SealedWords, Unreadable
from gateway.store.database import vault_of
from gateway.store.models import (
    Case,
    DeliveryReport,
    Event,
    Farmer,
    MediaMessage,
    Message,
    Officer,
    Photo,
    Profile,
    SealKey,
    UssdSession,
)
from gateway.store.photos import PhotoMissing, PhotoStore
from gateway.store.vault import MARK, SealBroken, Vault

BATCH = 200
NUMBERS: dict[str, tuple[str, str]] = {
    Farmer.__tablename__: ("phone", "phone_digest"),
    Officer.__tablename__: ("phone", "phone_digest"),
    Message.__tablename__: ("address", "address_digest"),
    MediaMessage.__tablename__: ("phone", "address_digest"),
}
"""Table to its column of a number and that of its digest, which is made anew with it."""


@dataclass
class Progress:
    """What was done so far, and what does not open with any key of ours."""

    done: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)


def tables() -> list[Table]:
    """Those that keep anything sealed."""
    return [table for table in Base.metadata.sorted_tables if _sealed(table)]


def left(store: Store) -> dict[str, int]:
    """How much is still sealed with another key or not at all: rows by table, and photos."""
    found = {}
    with store.reading() as session:
        for table in tables():
            query = select(func.count()).select_from(table).where(_stale(table, store.vault))
            found[table.name] = session.scalar(query) or 0
        if len(store.vault.keys) > 1:
            known = session.get(SealKey, store.vault.writer.name)
            query = select(func.count(Photo.id)).where(
                Photo.id > (known.photos_done if known else 0)
            )
            found["photos"] = session.scalar(query) or 0
    return found


def rows(store: Store, table: Table, progress: Progress, limit: int = BATCH) -> Iterator[int]:
    """Seal the rows of a table anew; yields after each batch how many it was."""
    (key,) = table.primary_key.columns
    last: Any = None
    while True:
        with store.transaction() as session:
            query = select(key, *_sealed(table)).where(_stale(table, store.vault)).order_by(key)
            if last is not None:
                query = query.where(key > last)
            # Who works on a row finishes first, and another run sees to it.
            held = session.execute(query.limit(limit).with_for_update(skip_locked=True)).all()
            count = _seal_rows(session, table, held, progress)
        if not held:
            return
        last = held[-1][0]
        progress.done[table.name] = progress.done.get(table.name, 0) + count
        yield count


def photos(store: Store, kept: PhotoStore, progress: Progress, limit: int = BATCH) -> Iterator[int]:
    """Seal the photos anew; yields after each batch how many it was."""
    name = store.vault.writer.name
    if len(store.vault.keys) == 1:
        return
    while True:
        with store.reading() as session:
            done = session.get_one(SealKey, name).photos_done
            query = select(Photo.id, Photo.address).where(Photo.id > done).order_by(Photo.id)
            batch = session.execute(query.limit(limit)).all()
        if not batch:
            return
        count = sum(_seal_photo(store, kept, row.address, progress) for row in batch)
        with store.transaction() as session:
            mine = update(SealKey).where(SealKey.name == name)
            session.execute(mine.values(photos_done=batch[-1].id))
        progress.done["photos"] = progress.done.get("photos", 0) + count
        yield count


def retire(store: Store) -> list[str]:
    """Take the old keys of the ring out of use, where nothing is left under them.

    Returns: their names, shortened; none when something is left.
    """
    if any(left(store).values()):
        return []
    old = [key.name for key in store.vault.keys[1:]]
    with store.transaction() as session:
        gone = delete(SealKey).where(SealKey.name.in_(old))
        session.execute(gone)
    return [name[: keys.SHOWN] for name in old]


def _seal_photo(store: Store, kept: PhotoStore, address: str, progress: Progress) -> bool:
    try:
        changed = kept.seal_anew(address)
    except PhotoMissing:
        return False
    except SealBroken:
        progress.broken["photos"] = progress.broken.get("photos", 0) + 1
        return False
    with store.reading() as session:
        named = session.scalar(select(Photo.id).where(Photo.address == address).limit(1))
    if named is None:
        kept.delete(address)  # erased while it was written
    return changed


def _sealed(table: Table) -> list[Any]:
    return [c for c in table.columns if isinstance(c.type, Sealed | SealedWords | SealedFacts)]


def _stale(table: Table, vault: Vault) -> ColumnElement[bool]:
    """Whether something in a row is plain, or sealed with another key than the one that writes."""
    parts: list[ColumnElement[bool]] = []
    several = len(vault.keys) > 1
    mark = vault.mark if several else MARK
    for column in _sealed(table):
        if isinstance(column.type, Sealed):
            if several:
                raw = type_coerce(column, LargeBinary)
                head = type_coerce(func.substr(raw, 1, len(vault.text_prefix)), LargeBinary)
                parts.append(and_(func.length(raw) > 0, head != vault.text_prefix))
        elif isinstance(column.type, SealedWords):
            parts.append(type_coerce(column, String).not_like(f"{mark}%"))
        else:
            words = cast(column, String)
            plain = type_coerce(words, String).not_like(f"%{mark}%")
            parts.append(and_(words != "null", plain))
    return or_(False, *parts)


def _seal_rows(session: Session, table: Table, held: Any, progress: Progress) -> int:
    vault = vault_of(session)
    (key,) = table.primary_key.columns
    names = [column.name for column in _sealed(table)]
    number, digest = NUMBERS.get(table.name, ("", ""))
    count = 0
    for row in held:
        values = dict(zip(names, row[1:], strict=True))
        unread = [name for name, value in values.items() if isinstance(value, Unreadable)]
        for name in unread:
            del values[name]  # stays as it is: the key may turn up
        if unread:
            progress.broken[table.name] = progress.broken.get(table.name, 0) + 1
        if phone := values.get(number):
            values[digest] = vault.number(phone)
            _redigest(session, vault, phone)
        if values:
            try:
                with session.begin_nested():
                    session.execute(update(table).where(key == row[0]).values(values))
            except IntegrityError:
                if table.name != Farmer.__tablename__:
                    raise
                _merge(session, row[0], values[digest])
            count += 1
    return count


def _redigest(session: Session, vault: Vault, phone: str) -> None:
    """What names a number by its digest alone goes with it."""
    newest, *older = vault.numbers(phone)
    for table in (DeliveryReport, UssdSession) if older else ():
        mine = update(table).where(table.address_digest.in_(older))
        session.execute(mine.values(address_digest=newest))


def _merge(session: Session, farmer_id: str, digest: str) -> None:
    """Hosts that wrote with different keys at one moment made a farmer twice: make her one.

    The stricter wish holds: no consent where one of the two has none, no messages where one said
    so.
    """
    other = session.scalars(select(Farmer).where(Farmer.phone_digest == digest)).one()
    farmer = session.get_one(Farmer, farmer_id)
    other.consent_at = other.consent_at if farmer.consent_at else None
    other.training_consent_at = other.training_consent_at if farmer.training_consent_at else None
    other.opted_out_at = other.opted_out_at or farmer.opted_out_at
    for table in (Case, Message, Event, Profile):
        mine = update(table).where(table.farmer_id == farmer_id)
        session.execute(mine.values(farmer_id=other.id))
    session.flush()
    session.execute(delete(Farmer).where(Farmer.id == farmer_id))
