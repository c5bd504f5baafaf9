"""Everything that may wait in the spool, by its kind: the same for whichever door kept it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from gateway.channels.africastalking.events import CALLBACKS
from gateway.channels.mms import kept
from gateway.context import Context
from gateway.privacy import erasure
from gateway.spool import Replayer, Spool

MEDIA = "mms"
TAKERS: Mapping[str, Callable[[Context, Mapping[str, str]], None]] = {
    **CALLBACKS,
    MEDIA: kept.keep,
}


def spool_of(context: Context) -> tuple[Spool, Replayer]:
    """The spool, and who empties it."""

    def erased(fields: Mapping[str, str], came: datetime) -> bool:
        phone = erasure.number_in(fields, context.settings.region)
        if phone is None:
            return False
        with context.store.reading() as session:
            return erasure.erased_since(session, phone, came)

    spool = Spool(context.settings.spool, context.store.vault, erased)
    return spool, Replayer(spool, lambda kind, fields: TAKERS[kind](context, fields))
