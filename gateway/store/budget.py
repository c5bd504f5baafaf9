"""How long whoever asks waits for the store: a person in a session for less than a sweep."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

REST_SECONDS = 1.0


@dataclass
class _Budget:
    seconds: float


_budget: ContextVar[_Budget | None] = ContextVar("store_budget", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """All that this thread asks of the store inside may take so many seconds together.

    Then the store counts as away (`gateway.store.away`). Time spent on other things, such as a
    slow upload, does not count. It takes the place of the store's own limits; inside another
    patience it has no more than that one has left. Also a decorator.
    """
    outer = _budget.get()
    given = seconds if outer is None else min(seconds, outer.seconds)
    inner = _Budget(given)
    token = _budget.set(inner)
    try:
        yield
    finally:
        _budget.reset(token)
        if outer is not None:
            outer.seconds -= given - inner.seconds


@contextmanager
def waiting(usual: float) -> Iterator[float]:
    """Around one wait for the store: how many seconds it has (`usual` where nobody said)."""
    budget = _budget.get()
    if budget is None:
        yield usual
        return
    began = time.monotonic()
    try:
        yield max(0.0, budget.seconds)
    finally:
        budget.seconds -= time.monotonic() - began


class Rest:
    """After a silence nobody connects for a moment, and then one goes ahead of the others.

    Else every thread of a web process would soon be waiting for the same server.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: float | None = None

    def begin(self) -> None:
        with self._lock:
            self._until = time.monotonic() + REST_SECONDS

    def end(self) -> None:
        with self._lock:
            self._until = None

    def over(self) -> bool:
        with self._lock:
            if self._until is None:
                return True
            if time.monotonic() < self._until:
                return False
            self._until = time.monotonic() + REST_SECONDS
            return True
