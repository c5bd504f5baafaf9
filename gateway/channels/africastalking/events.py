"""What the callbacks mean: one function for each, given the fields and nothing of HTTP.

Whatever names no message or no number is dropped with a line in the log, for its sender would
only send it again. A number and a text never get into a line.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from gateway.channels.africastalking import fields
from gateway.channels.africastalking.tables import FAILURE, REPORT
from gateway.channels.fields import moment
from gateway.channels.takers import take_sms
from gateway.context import Context
from gateway.outbox import reports
from gateway.outbox.network import FIRST
from gateway.people import farmers, msisdn
from gateway.store.base import now
from gateway.store.database import insert_once
from gateway.store.models import UssdSession

log = logging.getLogger("leafline.africastalking")

Fields = Mapping[str, str]


def sms(context: Context, form: Fields) -> None:
    """An incoming message. Its id makes it count once."""
    take_sms(context, form, message_id=fields.message_id(form), provider=FIRST, log=log)


def delivery_report(context: Context, form: Fields) -> None:
    """A delivery report; an unknown status is kept and moves nothing."""
    provider_id = fields.identity(form.get("id", ""))
    status = form.get("status", "").strip()[:40]
    if not provider_id or provider_id == "None" or not status:
        log.warning("delivery report without an id or a status dropped")
        return
    fate = REPORT.get(fields.word(status))
    if fate is None:
        log.warning("delivery report with an unknown status kept")
    reason = form.get("failureReason", "").strip()
    with context.store.transaction() as session:
        reports.receive(
            session,
            reports.Report(
                provider_id=provider_id,
                status=status,
                fate=fate or "",
                reason=FAILURE.get(fields.word(reason), reason[:40]),
                phone=msisdn.named(form.get("phoneNumber", ""), context.settings.region),
                network_code=form.get("networkCode", "")[:8],
            ),
        )


def session_ended(context: Context, form: Fields) -> None:
    """The end of a USSD session, told once or more, late or never."""
    session_id = fields.identity(form.get("sessionId", ""))
    if not session_id:
        log.warning("ussd event without a session id dropped")
        return
    phone = msisdn.named(form.get("phoneNumber", ""), context.settings.region)
    with context.store.transaction() as session:
        insert_once(
            session,
            UssdSession,
            {
                "session_id": session_id,
                "address_digest": context.store.vault.number(phone) if phone else None,
                "network_code": form.get("networkCode", "")[:8],
                "status": form.get("status", "")[:16],
                "screens": form.get("hopsMetadata", ""),
                "hops": fields.number(form.get("hopsCount", "")),
                "duration_ms": fields.number(form.get("durationInMillis", "")),
                "cost": form.get("cost", "")[:20],
                "error": form.get("errorMessage", "")[:200],
                "ended_at": moment(form.get("date", ""), now()),
            },
            "session_id",
        )


def opt_out(context: Context, form: Fields) -> None:
    """A subscriber told the provider to stop our messages."""
    phone = msisdn.named(form.get("phoneNumber", ""), context.settings.region)
    if phone is None:
        log.warning("opt-out without a readable number dropped")
        return
    with context.store.transaction() as session:
        farmers.opt_out(session, farmers.find_or_create(session, phone), by="network")


CALLBACKS: Mapping[str, Callable[[Context, Fields], None]] = {
    "ussd-events": session_ended,
    "sms": sms,
    "delivery-reports": delivery_report,
    "opt-outs": opt_out,
}
"""Last part of the address to what takes the callback in; each is safe to run twice."""
