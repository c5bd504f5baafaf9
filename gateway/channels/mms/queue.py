"""The RQ queue of messages whose photos are to be fetched."""

from __future__ import annotations

import logging

from redis import Redis
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

from gateway import queues

log = logging.getLogger(__name__)

JOB_TIMEOUT = 120


def enqueue(redis: Redis, media_id: int) -> None:
    """Queue one message; a sweep does it again when Redis does not answer now."""
    queue = queues.queue(queues.MEDIA, redis)
    job_id = f"media-{media_id}"
    try:
        before = queue.fetch_job(job_id)
        if before is not None and before.is_failed:
            before.delete()  # it would keep this one out
        queue.enqueue(
            queues.FUNCTIONS[queues.MEDIA], media_id, job_id=job_id, job_timeout=JOB_TIMEOUT,
            result_ttl=0, failure_ttl=3600, unique=True,
        )  # fmt: skip
    except DuplicateJobError:
        pass
    except RedisError as error:
        log.warning("queue_unavailable media=%s error=%s", media_id, type(error).__name__)
