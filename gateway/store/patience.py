"""How long whoever asks waits for the store: a person in a session for less than a sweep."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_until: ContextVar[float | None] = ContextVar("store_until", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """All that this thread asks of the store inside is to be done within so many seconds.

    Then the store counts as away (`gateway.store.away`). It takes the place of the store's own
    limits, and of two that are nested the one that ends first holds. Also a decorator.
    """
    until, outer = time.monotonic() + seconds, _until.get()
    token = _until.set(until if outer is None else min(until, outer))
    try:
        yield
    finally:
        _until.reset(token)


def left(usual: float) -> float:
    """Seconds that the store still has; `usual` where nobody said."""
    until = _until.get()
    return usual if until is None else max(0.0, until - time.monotonic())
