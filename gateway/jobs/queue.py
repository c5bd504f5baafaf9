"""Putting photos onto the RQ queue. The store stays the truth: a photo that is not on the queue,
for whatever reason, is put there later by a sweep."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

from gateway.context import Context
from gateway.store.base import now
from gateway.store.models import Photo

log = logging.getLogger(__name__)

JOB = "gateway.jobs.photos.diagnose"
JOB_TIMEOUT = 60
"""Seconds; judging takes some milliseconds, so a job this old hangs."""
FAILURE_TTL = 24 * 3600


def enqueue(context: Context, photo_id: int) -> bool:
    """Queue one photo for a worker; False (and a line in the log) when Redis does not answer."""
    try:
        context.photo_queue.enqueue(
            JOB,
            photo_id,
            job_id=f"photo-{photo_id}",
            job_timeout=JOB_TIMEOUT,
            result_ttl=0,
            failure_ttl=FAILURE_TTL,
            unique=True,
        )
    except DuplicateJobError:
        return True
    except RedisError as error:
        log.warning("queue_unavailable photo=%s error=%s", photo_id, type(error).__name__)
        return False
    with context.store.transaction() as session:
        photo = session.get(Photo, photo_id)
        if photo is not None:
            photo.queued_at = now()
            photo.attempts += 1
    return True
