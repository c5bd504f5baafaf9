"""Brakes on guessing: how often something may be tried in a while, counted in Redis."""

from __future__ import annotations

import logging

import redis

log = logging.getLogger(__name__)


def allowed(client: redis.Redis, what: str, limit: int, seconds: int) -> bool:
    """Count one try of `what` (such as `pin:12`); False when it was the one too many.

    The window is fixed: it starts with the first try. Without Redis every try is allowed, as
    nobody could work otherwise; secrets must be long enough to stand that for a while.
    """
    key = f"leafline:attempts:{what}"
    try:
        pipeline = client.pipeline()
        pipeline.incr(key)
        pipeline.expire(key, seconds, nx=True)
        count: int = pipeline.execute()[0]
    except redis.RedisError as error:
        log.warning("attempts_not_counted error=%s", type(error).__name__)
        return True
    return count <= limit


def forget(client: redis.Redis, what: str) -> None:
    """After a success: start counting anew."""
    try:
        client.delete(f"leafline:attempts:{what}")
    except redis.RedisError as error:
        log.warning("attempts_not_counted error=%s", type(error).__name__)
