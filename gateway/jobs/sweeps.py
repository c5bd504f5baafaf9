"""Sweeps over photos: what should have happened and has not, found in the store and put right.

Each is safe to run twice, or on two machines at once: whatever it repeats has a unique key, or is
changed only from the value that was seen.
"""

from __future__ import annotations

import contextlib
import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from redis.exceptions import RedisError
from sqlalchemy import select, update

from gateway.cases import judgement, queue
from gateway.context import Context
from gateway.privacy import loose
from gateway.store.base import now
from gateway.store.models import Case, Photo
from gateway.watch import incidents
from gateway.watch.rows import each

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
FIRST_WAIT = timedelta(seconds=5)
GRACE = timedelta(seconds=5)
"""A photo this young is just being queued by the door that took it."""
OLDEST = timedelta(days=1)
"""A farmer has waited long enough: a person gets the case, whatever the machine is doing."""
ORPHAN_AGE = timedelta(days=1)
MANY, FOREIGN = "photos:many_to_delete", "photos:not_ours"
LOCK_SECONDS = 60
"""A round takes less; a scheduler that died holds up the others no longer."""

Step = Literal["leave", "queue", "count", "give_up"]


@dataclass(frozen=True)
class Waiting:
    """A photo without a diagnosis. `attempts`: how often a worker failed at it."""

    id: int
    attempts: int
    failed_at: datetime | None
    received_at: datetime


def next_step(photo: Waiting, standing: queue.Standing, moment: datetime, jitter: float) -> Step:
    """What to do about a photo without a diagnosis. `jitter` is uniform in [0, 1).

    A photo that Redis lost is no worse for it: only what a worker began and did not end counts.
    """
    age = moment - photo.received_at
    if age > OLDEST:
        return "give_up"
    if photo.id in standing.failed:
        return "give_up" if photo.attempts + 1 >= MAX_ATTEMPTS else "count"
    # An instant in the future is one from before the clock was set back: it is long past.
    if photo.id in standing.held or timedelta(0) <= age < GRACE:
        return "leave"
    if photo.attempts and photo.failed_at is not None:
        wait = FIRST_WAIT * 2**photo.attempts * (0.5 + jitter / 2)
        if timedelta(0) <= moment - photo.failed_at < wait:
            return "leave"
    return "queue"


def waiting_photos(context: Context) -> int:
    """Queue photos that no worker has in hand; after three failures a person gets the case."""
    lock = context.redis.lock("leafline:sweep:photos", timeout=LOCK_SECONDS)
    if not lock.acquire(blocking=False):
        return 0  # another scheduler is at it
    try:
        return _waiting_photos(context)
    finally:
        with contextlib.suppress(RedisError):  # it ran out, or went with everything in Redis
            lock.release()


def _waiting_photos(context: Context) -> int:
    with context.store.reading() as session:
        waiting = [
            Waiting(*row)
            for row in session.execute(
                select(Photo.id, Photo.attempts, Photo.failed_at, Photo.received_at)
                .where(Photo.diagnosed_at.is_(None))
                .order_by(Photo.id)
            )
        ]
    standing = queue.standing(context.photo_queue)
    moment = now()
    photos = {photo.id: photo for photo in waiting}

    def repair(photo_id: int) -> int:
        photo = photos[photo_id]
        match next_step(photo, standing, moment, random.random()):  # noqa: S311
            case "count":
                _count(context, photo, moment)
            case "queue":
                return _queue_again(context, photo)
            case "give_up":
                return _give_up(context, photo.id)
        return 0

    return each(context.store, "waiting_photos", photos, repair)


def orphaned_photos(context: Context) -> int:
    """Delete kept bytes that no photo of a case names: an upload that was never accepted or written
    to its end, and what a person's deletion left behind."""
    limit = now() - ORPHAN_AGE
    if may_not_delete(context):
        return 0
    repaired = context.photos.tidy(limit.timestamp())
    with context.store.transaction() as session:
        loose.settle(session, limit)
        reason = loose.too_many(session, limit)
        incidents.mark(session, MANY, reason)
    while not reason:
        with context.store.reading() as session:
            batch = loose.due(session, limit)
        repaired += loose.remove(context.store, context.photos, batch, limit)
        if len(batch) < loose.BATCH:
            break
    if not reason:
        loose.count(context.store, context.photos)
    return repaired


def may_not_delete(context: Context) -> bool:
    """Whether the photos seem to be others' than this store's: an incident says so."""
    reason = loose.refusal(context.store, context.photos)
    with context.store.transaction() as session:
        incidents.mark(session, FOREIGN, reason)
    return bool(reason)


def _queue_again(context: Context, photo: Waiting) -> bool:
    with context.store.reading() as session:
        judged = session.scalar(select(Photo.diagnosed_at).where(Photo.id == photo.id))
    if judged is not None:
        return False
    queue.forget(context.photo_queue, photo.id)
    return queue.enqueue(context.photo_queue, photo.id)


def _count(context: Context, photo: Waiting, moment: datetime) -> None:
    """One more failure; two schedulers that see it at once count it once."""
    with context.store.transaction() as session:
        session.execute(
            update(Photo)
            .where(Photo.id == photo.id, Photo.attempts == photo.attempts)
            .values(attempts=photo.attempts + 1, failed_at=moment)
        )
    queue.forget(context.photo_queue, photo.id)
    log.warning("photo_failed photo=%s attempts=%s", photo.id, photo.attempts + 1)


def _give_up(context: Context, photo_id: int) -> bool:
    with context.store.transaction() as session:
        photo = session.get(Photo, photo_id, with_for_update={"of": Photo, "key_share": True})
        if photo is None or photo.diagnosed_at is not None:
            return False
        case = session.get_one(Case, photo.case_id)
        photo.diagnosed_at = now()
        photo.attempts += 1
        judgement.failed(session, context.desk, case, "machine_failed")
    queue.forget(context.photo_queue, photo_id)
    log.error("photo_given_up photo=%s", photo_id)
    return True
