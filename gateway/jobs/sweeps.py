"""Sweeps: what should have happened and has not, found in the store and put right.

Each is safe to run twice, or on two machines at once: whatever it repeats has a unique key.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import or_, select

from gateway.cases import judgement
from gateway.context import Context
from gateway.jobs.queue import enqueue
from gateway.store.base import now
from gateway.store.models import Case, Photo

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=20)
ORPHAN_AGE = timedelta(days=1)
BATCH = 500


def waiting_photos(context: Context) -> int:
    """Queue photos that no worker has judged; after five tries a person gets the case."""
    moment = now()
    with context.store.reading() as session:
        waiting = session.execute(
            select(Photo.id, Photo.attempts, Photo.queued_at)
            .where(
                Photo.diagnosed_at.is_(None),
                Photo.received_at < moment - timedelta(seconds=5),
                or_(Photo.queued_at.is_(None), Photo.queued_at < moment - FIRST_WAIT),
            )
            .order_by(Photo.id)
            .limit(BATCH)
        ).all()
    on_queue = _on_queue(context)
    repaired = 0
    for photo_id, attempts, queued_at in waiting:
        if f"photo-{photo_id}" in on_queue:
            continue
        if queued_at is not None and moment - queued_at < FIRST_WAIT * 2**attempts:
            continue
        if attempts >= MAX_ATTEMPTS:
            _give_up(context, photo_id)
        else:
            _forget_old_job(context, photo_id)
            enqueue(context, photo_id)
        repaired += 1
    return repaired


def orphaned_photos(context: Context) -> int:
    """Delete kept bytes that no photo of a case names: an upload that was never accepted."""
    limit = now() - ORPHAN_AGE
    old = [name for name, at in context.photos.addresses() if at < limit.timestamp()]
    repaired = 0
    for start in range(0, len(old), BATCH):
        batch = old[start : start + BATCH]
        with context.store.reading() as session:
            named = set(session.scalars(select(Photo.address).where(Photo.address.in_(batch))))
        for address in set(batch) - named:
            context.photos.delete(address)
            repaired += 1
    return repaired


def _on_queue(context: Context) -> set[str]:
    queue = context.photo_queue
    return {*queue.job_ids, *queue.started_job_registry.get_job_ids(cleanup=False)}


def _forget_old_job(context: Context, photo_id: int) -> None:
    """A job of an earlier try, failed or abandoned, would keep the new one out."""
    job = context.photo_queue.fetch_job(f"photo-{photo_id}")
    if job is not None:
        job.delete()


def _give_up(context: Context, photo_id: int) -> None:
    with context.store.transaction() as session:
        photo = session.get_one(Photo, photo_id, with_for_update=True)
        case = session.get_one(Case, photo.case_id)
        if photo.diagnosed_at is not None:
            return
        photo.diagnosed_at = now()
        judgement.failed(session, context.desk, case, "machine_failed")
    log.error("photo_given_up photo=%s attempts=%s", photo_id, MAX_ATTEMPTS)
