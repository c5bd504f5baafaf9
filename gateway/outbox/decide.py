"""What becomes of a message after one attempt, and after its fate stayed unknown: pure rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.outbox.kinds import POLICY, Kind
from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.reasons import NOT_REACHED
from gateway.store.states import MessageState

ATTEMPTS = 5
BACKOFF_FIRST, BACKOFF_MOST = 2.0, 120.0
UNKNOWN_FOR = timedelta(minutes=10)
"""How long a delivery report may still settle an unknown fate before anything else happens."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next state of a message. `counts`: the attempt counts against its limit."""

    state: MessageState
    outcome: str = ""
    not_before: datetime | None = None
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Attempted:
    """A message as the rules see it. `attempts` are the earlier ones that counted."""

    kind: Kind
    created_at: datetime
    attempts: int = 0
    resent: bool = False


def after(result: SendResult, message: Attempted, now: datetime, jitter: float) -> Step:
    """The step after one attempt. `jitter` is uniform in [0, 1)."""
    match result.outcome:
        case Outcome.SENT:
            return Step(MessageState.SENT)
        case Outcome.REJECTED:
            return Step(MessageState.FAILED, result.reason)
        case Outcome.UNKNOWN:
            return Step(MessageState.UNKNOWN, result.reason, now + UNKNOWN_FOR)
        case Outcome.RETRYABLE if result.reason not in NOT_REACHED:
            attempts = message.attempts + 1
            if attempts >= (result.most_attempts or ATTEMPTS):
                return Step(MessageState.FAILED, result.reason, counts=True)
            delay = timedelta(seconds=backoff(attempts, jitter))
            return _again(result.reason, message, now, delay, counts=True)
        case _:  # throttled, deferred, channel down, not reached
            delay = timedelta(seconds=result.retry_after or 0)
            return _again(result.reason, message, now, delay)


def after_unknown(message: Attempted, now: datetime) -> Step:
    """The step when no report has settled an unknown fate in time."""
    if message.resent or not POLICY[message.kind].twice:
        return Step(MessageState.FAILED, "fate_unknown")
    return _again("resent", message, now, timedelta(0))


def expired(message: Attempted, now: datetime) -> bool:
    """Too old to be of use to anybody."""
    return now - message.created_at > POLICY[message.kind].lifetime


def backoff(attempts: int, jitter: float) -> float:
    """Seconds to wait after so many attempts: exponential, full jitter, never below a second."""
    ceiling: float = min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** min(attempts, 16))
    return max(1.0, ceiling * jitter)


def _again(
    reason: str, message: Attempted, now: datetime, delay: timedelta, *, counts: bool = False
) -> Step:
    if now + delay - message.created_at > POLICY[message.kind].lifetime:
        return Step(MessageState.FAILED, "expired", counts=counts)
    return Step(MessageState.QUEUED, reason, now + delay, counts)
