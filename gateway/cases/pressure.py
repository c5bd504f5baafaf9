"""Backpressure: whether so much waits that the doors should take nothing new for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.settings import Settings
from gateway.store import Store, patience
from gateway.store.models import Photo

LOOK_AGAIN = 2.0
"""Seconds for which an answer holds: each request need not count."""
RETRY_AFTER = "120"
PATIENCE = 1.0
"""Seconds that the store has for counting: many wait for one who counts."""


class Pressure:
    """Asked at the doors, by many threads."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.too_many_messages = _Gauge(store, outbox.depth, settings.outbox_limit)
        self.too_many_photos = _Gauge(store, photos_waiting, settings.photo_limit)

    def too_much(self) -> bool:
        """Whether the doors should take no new photo."""
        return self.too_many_photos() or self.too_many_messages()


def photos_waiting(session: Session) -> int:
    return session.scalar(select(func.count(Photo.id)).where(Photo.diagnosed_at.is_(None))) or 0


class _Gauge:
    def __init__(self, store: Store, depth: Callable[[Session], int], limit: int) -> None:
        self._store, self._depth, self._limit = store, depth, limit
        self._lock = threading.Lock()
        self._full, self._until = False, 0.0

    def __call__(self) -> bool:
        """Whether the limit is passed. No when the store does not say: that is another trouble."""
        with self._lock:
            if time.monotonic() >= self._until:
                try:
                    with patience(PATIENCE), self._store.reading() as session:
                        self._full = self._depth(session) >= self._limit
                except SQLAlchemyError:
                    self._full = False
                self._until = time.monotonic() + LOOK_AGAIN
            return self._full
