"""When a channel rests: rules without a clock of their own, so that tests need not wait."""

from __future__ import annotations

import threading

from gateway.outbox.fallback import Standing
from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.reasons import NOT_REACHED

TOLERATED = 3
"""So many unreached or unanswered requests in a row are bad luck, more are the channel."""
ALARMING = 4
"""A channel that rests for the so-manieth time in a row needs a person."""

# Outcome: seconds of the first rest, and of the longest; each rest in a row is twice as long.
RESTS: dict[Outcome, tuple[float, float]] = {
    Outcome.CHANNEL_DOWN: (30.0, 900.0),
    Outcome.THROTTLED: (1.0, 60.0),
    Outcome.RETRYABLE: (1.0, 60.0),
    Outcome.UNKNOWN: (5.0, 120.0),
}


class Pause:
    """Fed with every result; says how long nothing should be sent. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until = 0.0
        self._down_since: float | None = None
        self._rests = 0
        self._bad = 0
        self._cause = ""

    def remaining(self, at: float) -> float:
        """Seconds still to rest; `at` is a monotonic time in seconds."""
        with self._lock:
            return max(0.0, self._until - at)

    def standing(self, at: float) -> Standing:
        """How the channel is, for those that could take its place."""
        with self._lock:
            since = at if self._down_since is None else self._down_since
            return Standing(resting=at < self._until, down_for=at - since)

    @property
    def probing(self) -> bool:
        """After a rest one message goes ahead, and the others follow when it was taken."""
        return self._rests > 0

    @property
    def alarm(self) -> str:
        """Why a person is needed, or empty."""
        with self._lock:
            return self._cause

    def note(self, result: SendResult, at: float) -> None:
        outcome = result.outcome
        counted = outcome is Outcome.UNKNOWN or result.reason in NOT_REACHED
        with self._lock:
            if not counted and outcome not in (Outcome.CHANNEL_DOWN, Outcome.THROTTLED):
                self._rests = self._bad = 0
                self._down_since = None
                self._cause = ""
                return
            self._bad += 1
            if (counted and self._bad < TOLERATED) or at < self._until:
                return  # bad luck so far, or the echo of what made us rest
            first, most = RESTS[outcome]
            rest = min(most, first * 2 ** min(self._rests, 16))
            self._until = at + max(rest, result.retry_after or 0.0)
            self._rests += 1
            if self._down_since is None:
                self._down_since = at
            if outcome is Outcome.CHANNEL_DOWN or self._rests >= ALARMING:
                self._cause = result.reason
