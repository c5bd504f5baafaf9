"""Waking a sender as soon as a message is committed. The store is the truth: a lost wake-up costs
one poll interval, nothing else."""

from __future__ import annotations

import logging

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import event
from sqlalchemy.orm import Session

from gateway.store import Store

log = logging.getLogger("leafline.outbox")

KEY = "leafline:outbox:wake"
KEPT = 16
"""More wake-ups than senders would only make them look in vain."""
_POSTED = "leafline_posted"


def install(store: Store, redis: Redis) -> None:
    """Let commits on this store wake senders through `redis`."""
    store.engine.dialect.leafline_wake = redis  # type: ignore[attr-defined]


def after_commit(session: Session) -> None:
    """Wake a sender once this session has committed."""
    if not session.info.get(_POSTED):
        session.info[_POSTED] = True
        event.listen(session, "after_commit", _rouse)


def wait(redis: Redis, seconds: float) -> bool:
    """Wait for a wake-up; False after `seconds` without one. Raises: RedisError."""
    return redis.blpop([KEY], timeout=seconds) is not None


def _rouse(session: Session) -> None:
    if not session.info.pop(_POSTED, False):
        return
    redis: Redis | None = getattr(session.get_bind().dialect, "leafline_wake", None)
    if redis is None:
        return
    try:
        with redis.pipeline(transaction=False) as pipe:
            pipe.rpush(KEY, 1)
            pipe.ltrim(KEY, -KEPT, -1)
            pipe.execute()
    except RedisError:
        log.debug("no wake-up: redis cannot be reached")
