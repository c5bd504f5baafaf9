"""The states of cases and messages, as the store keeps them."""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    """See gateway.cases.life for which may follow which."""

    RECEIVED = "received"
    DIAGNOSED = "diagnosed"
    PHOTO_REQUESTED = "photo_requested"
    ESCALATED = "escalated"
    ACCEPTED = "accepted"
    PROMISED = "promised"
    ANSWERED = "answered"
    CLOSED = "closed"


class MessageState(StrEnum):
    """Of a message out; one that came in is `received`."""

    QUEUED = "queued"
    HELD = "held"
    """A day's ceiling is reached; see gateway.outbox.money."""
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    RECEIVED = "received"
