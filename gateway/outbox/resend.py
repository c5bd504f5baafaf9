"""Sending a failed message once more, because a person said so."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from gateway.outbox.claim import foreign
from gateway.outbox.post import post
from gateway.store.base import now
from gateway.store.models import Event, Message
from gateway.store.states import MessageState

RESENT = "resent"
"""Outcome of a failed message that has a successor."""


def resend(session: Session, message_id: int, *, by: str) -> bool:
    """Post a copy of a failed message; the failed one stays as it is, marked.

    A new row rather than the old one again: its attempts and its age start anew. Asked twice, or
    by two people at once, one copy is made. A copy that fails can be sent again itself.

    Returns:
        False when there is no such failed message, it was sent again already, or this program
        cannot send it.
    """
    failed = session.get(Message, message_id, with_for_update=True)
    if failed is None or failed.direction != "out" or failed.state != MessageState.FAILED:
        return False
    if failed.text is None or failed.outcome == RESENT or foreign(failed):
        return False
    made = post(
        session,
        key=f"resend:{failed.id}",
        to=failed.address,
        text=failed.text,
        kind=failed.kind,
        priority=failed.priority,
        parts=failed.parts,
        farmer_id=failed.farmer_id,
        officer_id=failed.officer_id,
        case_id=failed.case_id,
        language=failed.language,
        template=failed.template,
    )
    if made:
        data = {"message": failed.id, "outcome": failed.outcome}
        session.execute(
            update(Message).where(Message.id == failed.id).values(outcome=RESENT, resent_at=now())
        )
        session.add(Event(kind="message_resent", case_id=failed.case_id, actor=by, data=data))
    return made
