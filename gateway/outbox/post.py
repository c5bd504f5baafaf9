"""Putting a message into the outbox."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.outbox import wake
from gateway.outbox.kinds import POLICY, Kind
from gateway.store.database import insert_once, vault_of
from gateway.store.models import Message
from gateway.store.states import MessageState

AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)
"""Long past, and not `now`: a clock that jumps back must not hold a message for as long."""


def post(
    session: Session,
    *,
    key: str,
    to: str,
    text: str,
    kind: Kind | str,
    priority: int | None = None,
    parts: int = 1,
    farmer_id: str | None = None,
    officer_id: int | None = None,
    case_id: int | None = None,
    language: str | None = None,
    template: str | None = None,
    not_before: datetime | None = None,
) -> bool:
    """Post a message in the caller's transaction; it leaves after the commit.

    Args:
        key: names the cause (`case:<id>:judged:1`); a second message with this key is not made.
        to: E.164.
        priority: smaller goes first; that of the kind when left out.
        parts: SMS parts that the text takes.

    Returns:
        True when the message was made, False when its key was there already.
    """
    kind = Kind(kind)
    made = insert_once(
        session,
        Message,
        {
            "key": key,
            "direction": "out",
            "address": to,
            "address_digest": vault_of(session).number(to),
            "text": text,
            "parts": parts,
            "kind": kind.value,
            "priority": POLICY[kind].priority if priority is None else priority,
            "state": MessageState.QUEUED,
            "farmer_id": farmer_id,
            "officer_id": officer_id,
            "case_id": case_id,
            "language": language,
            "template": template,
            "not_before": not_before or AT_ONCE,
        },
        "key",
    )
    if made:
        wake.after_commit(session)
    return made


def depth(session: Session) -> int:
    """How many messages wait; the doors push back when it grows too large."""
    return session.scalar(select(func.count()).where(Message.state == MessageState.QUEUED)) or 0
