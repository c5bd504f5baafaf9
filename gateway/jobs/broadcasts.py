"""Feeds approved broadcasts to the outbox, never more than it sends in half a minute."""

from __future__ import annotations

import logging
import math

from gateway.broadcasts import broadcast
from gateway.context import Context

log = logging.getLogger(__name__)

AHEAD_SECONDS = 30.0


def post(context: Context) -> int:
    """Top up the outbox; nothing of this is a repair, so it returns 0."""
    most = math.ceil(context.settings.send_rate * AHEAD_SECONDS)
    with context.store.transaction() as session:
        posted = broadcast.post_some(session, most - broadcast.waiting(session))
    if posted:
        log.info("broadcast_posted count=%s", posted)
    return 0
