"""Everything that may wait in the spool, by its kind: the same for whichever door kept it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.channels.africastalking.events import CALLBACKS
from gateway.channels.mms import kept
from gateway.context import Context
from gateway.spool import Replayer, Spool

MEDIA = "mms"
TAKERS: Mapping[str, Callable[[Context, Mapping[str, str]], None]] = {
    **CALLBACKS,
    MEDIA: kept.keep,
}


def spool_of(context: Context) -> tuple[Spool, Replayer]:
    """The spool, and who empties it."""
    spool = Spool(context.settings.spool, context.store.vault)
    return spool, Replayer(spool, lambda kind, fields: TAKERS[kind](context, fields))
