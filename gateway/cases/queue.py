"""The RQ queue of photos: putting one there, and knowing which are there.

The store stays the truth. Nothing about the queue is written to it when a photo is queued: a photo
that has no diagnosis and that nobody has in hand is queued (again) by a sweep.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import cast

from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.intermediate_queue import IntermediateQueue

from gateway import queues
from gateway.store.base import now

log = logging.getLogger(__name__)

PREFIX = "photo-"
JOB_TIMEOUT = 10
"""Seconds; judging takes some milliseconds, so a job this old hangs."""
ABANDONED = 15
"""Seconds after which a job that a worker began is one whose worker died."""
FAILURE_TTL = 24 * 3600
RQ_MARGIN = 60
"""Seconds that RQ adds to a job's timeout for the entry of a job in hand to expire."""


@dataclass(frozen=True)
class Standing:
    """What Redis knows of photos, by id."""

    held: frozenset[int]
    """Waiting for a worker, or in the hands of one."""
    failed: frozenset[int]
    """Begun by a worker that raised an error, or that died over it."""


def enqueue(queue: Queue, photo_id: int) -> bool:
    """Queue one photo for a worker; False (and a line in the log) when Redis does not answer."""
    try:
        queue.enqueue(
            queues.FUNCTIONS[queues.PHOTOS],
            photo_id,
            job_id=f"{PREFIX}{photo_id}",
            job_timeout=JOB_TIMEOUT,
            result_ttl=0,
            failure_ttl=FAILURE_TTL,
            unique=True,
        )
    except DuplicateJobError:
        pass
    except RedisError as error:
        log.warning("queue_unavailable photo=%s error=%s", photo_id, type(error).__name__)
        return False
    return True


def standing(queue: Queue) -> Standing:
    """Where Redis has each photo now. Raises: RedisError."""
    held, failed = set(queue.job_ids), set(queue.failed_job_registry.get_job_ids(cleanup=False))
    held |= _between(IntermediateQueue(queue.key, connection=queue.connection))
    # The score is the moment at which RQ lets the entry expire; far later than we need.
    began_before = time.time() - ABANDONED + JOB_TIMEOUT + RQ_MARGIN
    for entry, expires in _begun(queue):
        (failed if expires < began_before else held).add(_job_of(entry))
    return Standing(_photos(held), _photos(failed - held))


def forget(queue: Queue, photo_id: int) -> None:
    """Remove every trace of an earlier try; it would keep a new one out. Raises: RedisError."""
    job_id = f"{PREFIX}{photo_id}"
    IntermediateQueue(queue.key, connection=queue.connection).remove(job_id)
    for entry, _ in _begun(queue):
        if _job_of(entry) == job_id:
            queue.connection.zrem(queue.started_job_registry.key, entry)
    queue.failed_job_registry.remove(job_id)
    job = queue.fetch_job(job_id)
    if job is not None:
        job.delete()


def _begun(queue: Queue) -> list[tuple[bytes, float]]:
    """(entry, Unix time at which it expires) of each job that a worker has begun."""
    key = queue.started_job_registry.key
    return cast("list[tuple[bytes, float]]", queue.connection.zrange(key, 0, -1, withscores=True))


def _job_of(entry: bytes) -> str:
    """The registry joins the ids of a job and of its execution by a colon."""
    return entry.decode().partition(":")[0]


def _between(between: IntermediateQueue) -> set[str]:
    """Jobs popped and not yet begun, except those whose worker died right there."""
    held = set()
    for job_id in between.get_job_ids():
        seen = between.get_first_seen(job_id)
        if seen is None:
            between.set_first_seen(job_id)
        if seen is None or (now() - seen).total_seconds() < ABANDONED:
            held.add(job_id)
    return held


def _photos(job_ids: set[str]) -> frozenset[int]:
    numbers = (job_id.removeprefix(PREFIX) for job_id in job_ids)
    return frozenset(int(number) for number in numbers if number.isdigit())
