"""What the gateway's calls mean: one function for each, given fields in our own names.

What names no message or no number is dropped with a line in the log, for it would only come again.
A number and a text never get into a line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from gateway.channels.fields import key_of, within
from gateway.channels.takers import take_sms
from gateway.context import Context
from gateway.outbox import reports
from gateway.outbox.network import ID_LONGEST, scoped
from gateway.people import msisdn

log = logging.getLogger("leafline.http_gateway")

NAME = "http_gateway"
FATES: Mapping[str, reports.Fate] = {fate: fate for fate in ("", "delivered", "failed", "absent")}

Fields = Mapping[str, str]


def sms(context: Context, fields: Fields) -> None:
    """An incoming message. Its id makes it count once."""
    parts = [fields.get(name, "") for name in ("from", "to", "date", "text")]
    own = scoped(NAME, key_of(fields.get("id", ""), parts, ID_LONGEST))
    take_sms(context, fields, message_id=own, provider=NAME, log=log)


def report(context: Context, fields: Fields) -> None:
    """A delivery report; a status that we do not know is kept and moves nothing."""
    provider_id = within(fields.get("id", "").strip(), ID_LONGEST)
    status = fields.get("status", "").strip()[:40]
    if not provider_id or not status:
        log.warning("delivery report without an id or a status dropped")
        return
    with context.store.transaction() as session:
        reports.receive(
            session,
            reports.Report(
                provider_id=provider_id,
                status=status,
                fate=FATES.get(fields.get("fate", ""), ""),
                reason=fields.get("reason", "")[:40],
                phone=msisdn.named(fields.get("phone", ""), context.settings.region),
                provider=NAME,
            ),
        )


CALLBACKS: Mapping[str, Callable[[Context, Fields], None]] = {"sms": sms, "report": report}
"""Last part of the address to what takes the call in; each is safe to run twice."""
