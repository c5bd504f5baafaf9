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
    `retry_after` is in seconds. `provider_id` is the id that delivery reports carry; where it is
    ours, it is told of an unknown fate too. `most_attempts`: so many in all are of use.
    """

    outcome: Outcome
    reason: str = ""
    provider_id: str | None = None
    cost: Money | None = None
    retry_after: float | None = None
    most_attempts: int | None = None


LONGEST_REQUEST = 130.0
"""Seconds that no request may exceed: leases, and what sweeps make of them, are laid out for it."""

FIRST = "africastalking"
"""The provider of rows and incidents from before they named theirs."""


ID_LONGEST = 55
"""Letters that an id may have, so that a column holds it with a provider's name in front."""


def scoped(provider: str, provider_id: str) -> str:
    """A provider's id as the store keeps it: two providers may give the same.

    In front of the id, not only beside it: the unique key of the reports is older than the column
    of the provider, and programs that know it may still run.
    """
    return provider_id if provider == FIRST else f"{provider}:{provider_id}"


def cause_of(provider: str) -> str:
    """What the causes of a provider's incidents begin with."""
    return "channel:" if provider == FIRST else f"channel:{provider}:"


class Network(Protocol):
    """The sending half of a provider. Safe to use from several threads."""

    @property
    def name(self) -> str:
        """The provider's: messages keep it."""
        ...

    @property
    def longest_request(self) -> float:
        """Seconds after which `send` has surely returned; at most LONGEST_REQUEST."""
        ...

    def send(self, to: str, text: str) -> SendResult:
        """Hand one message to the network, once. Never raises for trouble on the way."""
        ...
