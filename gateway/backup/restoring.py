"""From a backup to a house, in an empty home.

What was deleted since stays deleted, and what waited to be sent is not sent by itself: most of it
was, after the backup was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, or_, update

from gateway.backup import BackupError, pictures, reading, snapshot
from gateway.backup.reading import Backup
from gateway.broadcasts import broadcast
from gateway.outbox.reasons import RESTORED
from gateway.privacy.book import Book, parse
from gateway.store import Store, keys
from gateway.store.base import now
from gateway.store.models import Beat, Broadcast, Event, Message, SignIn
from gateway.store.photos import PhotoStore
from gateway.store.states import MessageState

WAITING = (MessageState.QUEUED, MessageState.HELD)
FRESH = timedelta(minutes=10)
"""Messages that are younger wait as they did: the backup was made just now."""


@dataclass(frozen=True)
class Restored:
    name: str
    rows: int
    photos: int
    held: int
    """Messages that wait for a person's word."""


def restore_store(backup: Backup, store_url: str, scratch: Path) -> None:
    """Everything of the backup is looked at before anything is written. Raises: BackupError."""
    snapshot.check_empty(store_url)
    reading.check_files(backup)
    with backup.store(scratch) as file:
        snapshot.load(backup.kind, file, store_url)


def restore_rest(
    backup: Backup, store: Store, photos: PhotoStore, book: Book, fresh: timedelta = FRESH
) -> Restored:
    """Photos, the book of erasures, and what waited. Raises: BackupError, StoreError."""
    reading.check_rows(backup, store)
    store.migrate()
    keys.enter(store)
    addresses = backup.addresses()

    def put(address: str) -> None:
        if photos.put(backup.photo(store.vault, address)) != address:
            raise BackupError(f"the photo {address} in the backup is another one")

    pictures.each(put, addresses)
    book.write(*sorted(parse(backup.erasures()) - book.entries()))
    held = hold_messages(store, now() - fresh)
    with store.transaction() as session:
        # Who signed out since is out; processes of then are not missed now.
        session.execute(delete(SignIn))
        session.execute(delete(Beat))
    return Restored(backup.name, sum(backup.rows.values()), len(addresses), held)


def hold_messages(store: Store, before: datetime) -> int:
    """Let a person decide on what waited to be sent before an instant, and on broadcasts that were
    under way; how many messages that are."""
    with store.transaction() as session:
        stopped = (
            update(Message)
            .where(
                Message.direction == "out",
                or_(
                    Message.state == MessageState.SENDING,
                    Message.state.in_(WAITING) & (Message.created_at < before),
                ),
            )
            .values(state=MessageState.FAILED, outcome=RESTORED, final_at=now(), lease_until=None)
        )
        count = len(session.execute(stopped.returning(Message.id)).all())
        again = (
            update(Broadcast)
            .where(Broadcast.state == broadcast.APPROVED)
            .values(state=broadcast.DRAFT, decided_by=None, decided_at=None)
        )
        asked = len(session.execute(again.returning(Broadcast.id)).all())
        data = {"messages": count, "broadcasts": asked}
        session.add(Event(kind="restored", actor="restore", data=data))
    return count
