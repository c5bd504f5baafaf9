"""Messages that bring addresses of photos: kept now, fetched by a job."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.channels.mms.queue import enqueue
from gateway.context import Context
from gateway.store.base import now
from gateway.store.database import insert_once
from gateway.store.models import MediaMessage


def keep(context: Context, message: Mapping[str, str]) -> None:
    """Keep `key`, `phone` (E.164) and `addresses` (one a line). Doing it twice changes nothing."""
    with context.store.transaction() as session:
        insert_once(session, MediaMessage, {**message, "not_before": now()}, "key")
        row = session.query(MediaMessage).filter_by(key=message["key"]).one()
    enqueue(context.redis, row.id)
