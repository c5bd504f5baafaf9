"""What the outbox asks of a mobile network, and the words in which it hears back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What is known about one message after one attempt to hand it over."""

    SENT = "sent"
    """Accepted by the network; its fate comes in a delivery report."""
    REJECTED = "rejected"
    """Refused for good: another attempt would be refused too."""
    THROTTLED = "throttled"
    """Not accepted; the network wants fewer messages for a while."""
    DEFERRED = "deferred"
    """Not accepted now; may be sent later (hours in which the number wants quiet)."""
    RETRYABLE = "retryable"
    """Certainly not accepted; another attempt may succeed."""
    UNKNOWN = "unknown"
    """Perhaps accepted: the request left, no answer that can be read came back."""
    CHANNEL_DOWN = "channel_down"
    """Not accepted, and neither will be the next: wrong key, no credit, blocked sender ID."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as the network states it; `currency` is empty where it names none."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class SendResult:
    """The result of one attempt.

    `reason` is a stable lower-case word (`invalid_number`, `no_credit`, `read_timeout`, ...).
    `retry_after` is in seconds. `provider_id` is the id that delivery reports carry.
    """

    outcome: Outcome
    reason: str = ""
    provider_id: str | None = None
    cost: Money | None = None
    retry_after: float | None = None


class Network(Protocol):
    """The sending half of a channel."""

    def send(self, to: str, text: str) -> SendResult:
        """Hand one message to the network, once. Never raises for trouble on the way."""
        ...
