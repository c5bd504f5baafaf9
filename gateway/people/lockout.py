"""Brakes on guessing a PIN: five wrong tries close a door for a quarter of an hour.

Counted in the store, so that neither a restart nor a second process starts anew. A try is counted
before the secret is looked at: of many guesses at once no more than five are judged.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.store import Store
from gateway.store.base import now
from gateway.store.database import insert_once
from gateway.store.models import Lockout

TRIES = 5
CLOSED_FOR = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)
SWEPT = 100
"""Forgotten rows that one try sweeps away, so that guessing at random numbers fills no table."""


class Locked(Exception):
    """The door is closed until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"closed until {until:%H:%M}")
        self.until = until


def count_try(store: Store, door: str) -> int:
    """Count one try at `door` (such as `officer:+250788123456`).

    Returns:
        How many tries are left if this one is wrong.

    Raises:
        Locked: too many were wrong; this one must not be judged.
    """
    moment = now()
    digest = store.vault.digest(door)
    with store.transaction() as session:
        _sweep(session, moment)
        insert_once(session, Lockout, {"door": digest}, "door")
        row = session.get_one(Lockout, digest, with_for_update=True)
        if row.locked_until is not None and row.locked_until > moment:
            raise Locked(row.locked_until)
        if row.locked_until is not None or row.tried_at < moment - CLOSED_FOR:
            row.wrong, row.locked_until = 0, None
        row.wrong += 1
        row.tried_at = moment
        if row.wrong >= TRIES:
            row.locked_until = moment + CLOSED_FOR
        return TRIES - row.wrong


def open_again(store: Store, door: str) -> None:
    """The secret was right: forget what was wrong before."""
    with store.transaction() as session:
        session.execute(delete(Lockout).where(Lockout.door == store.vault.digest(door)))


def _sweep(session: Session, moment: datetime) -> None:
    old = (
        select(Lockout.door)
        .where(Lockout.tried_at < moment - FORGOTTEN_AFTER)
        .limit(SWEPT)
        .with_for_update(skip_locked=True)
    )
    session.execute(
        delete(Lockout).where(Lockout.door.in_(old)).execution_options(synchronize_session=False)
    )
