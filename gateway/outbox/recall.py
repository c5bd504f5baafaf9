"""Taking back what has not left yet, because the one who said it wants it unsaid."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.outbox.claim import finish
from gateway.store.base import now
from gateway.store.models import Message
from gateway.store.states import MessageState

RECALLED = "recalled"


def recall(session: Session, key: str) -> bool:
    """Cancel the messages with this key or one that goes on from it (`key:2`) that still wait.

    Returns: whether one of them had left already, or may have.
    """
    query = select(Message).where(or_(Message.key == key, Message.key.startswith(f"{key}:")))
    left = False
    for message in session.scalars(query.with_for_update()).all():
        if message.state == MessageState.QUEUED:
            left |= message.resent_at is not None
            finish(message, MessageState.CANCELLED, RECALLED, now())
        elif message.state not in (MessageState.CANCELLED, MessageState.FAILED):
            left = True
    return left
