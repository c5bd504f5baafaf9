"""The sweep over messages whose photos are still to be fetched."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from gateway.channels.mms.queue import enqueue
from gateway.context import Context
from gateway.store.base import now
from gateway.store.models import MediaMessage

FIRST_WAIT = timedelta(seconds=30)


def waiting_media(context: Context) -> int:
    """Queue messages whose photos were not fetched: a lost job, or a try that is due again."""
    with context.store.reading() as session:
        due = session.scalars(
            select(MediaMessage.id)
            .where(MediaMessage.done_at.is_(None), MediaMessage.not_before < now() - FIRST_WAIT)
            .limit(200)
        ).all()
    for media_id in due:
        enqueue(context.redis, media_id)
    return len(due)
