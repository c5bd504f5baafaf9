"""Everything that may wait in the spool, by its kind: the same for whichever door kept it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from functools import cache

from gateway.channels import providers
from gateway.channels.fields import moment
from gateway.channels.provider import Provider, Taker
from gateway.context import Context
from gateway.dialogue import sms
from gateway.outbox.network import FIRST
from gateway.people import msisdn
from gateway.privacy import erasure
from gateway.spool import Replayer, Spool, SpoolError
from gateway.store import away
from gateway.store.base import now

MEDIA = "mms"


def spooled(provider: str, kind: str) -> str:
    """A provider's kind of callback as the spool names it."""
    return f"{provider}/{kind}"


@cache
def takers() -> Mapping[str, Taker]:
    """The kinds of the first provider also without its name, as an earlier program kept them."""
    from gateway.channels.mms import kept  # whose doors use this module

    found: dict[str, Taker] = {MEDIA: kept.keep}
    for provider in providers.every():
        for kind, taker in provider.callbacks().items():
            found[spooled(provider.name, kind)] = taker
            if provider.name == FIRST:
                found[kind] = taker
    return found


def spool_of(context: Context) -> tuple[Spool, Replayer]:
    """The spool, and who empties it."""

    def erased(fields: Mapping[str, str], came: datetime) -> bool:
        phone = erasure.number_in(fields, context.settings.region)
        if phone is None:
            return False
        with context.store.reading() as session:
            return erasure.erased_since(session, phone, came)

    spool = Spool(context.settings.spool, context.store.vault, erased)
    return spool, Replayer(spool, lambda kind, fields: takers()[kind](context, fields))


def take_sms(
    context: Context,
    fields: Mapping[str, str],
    *,
    message_id: str,
    provider: str,
    log: logging.Logger,
) -> None:
    """An incoming message of any provider, with `from`, `text` and `date`. Its id makes it count
    once."""
    phone = msisdn.named(fields.get("from", ""), context.settings.region)
    if phone is None:
        log.warning("sms without a readable number dropped")
        return
    incoming = sms.Incoming(
        id=message_id,
        from_phone=phone,
        text=fields.get("text", ""),
        date=moment(fields.get("date", ""), now()),
        provider=provider,
    )
    sms.receive(context.dialogue, incoming)


class Door:
    """Takes in what a provider calls back with: now, or through the spool."""

    def __init__(self, context: Context, provider: Provider, log: logging.Logger) -> None:
        self._context, self._name, self._log = context, provider.name, log
        self._takers = provider.callbacks()
        self._spool, self._replayer = spool_of(context)

    def take(self, kind: str, fields: Mapping[str, str]) -> bool:
        """False when it could not even be kept, so that it must come again."""
        # What was kept earlier goes first: a START must not overtake the STOP before it.
        if not self._spool.waits():
            try:
                self._takers[kind](self._context, fields)
                return True
            except Exception as error:
                name = type(error).__name__
                self._log.error("%s goes to the spool: %s", kind, name, exc_info=not away(error))
        try:
            self._replayer.keep(spooled(self._name, kind), fields)
        except SpoolError as error:
            self._log.error("%s could not be kept: %s", kind, error)
            return False
        return True
