"""Delivery reports: matched to their message whenever they come, and in whatever order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.outbox.kinds import POLICY
from gateway.outbox.network import FIRST, scoped
from gateway.outbox.reasons import AGAIN_AFTER, UNWANTED
from gateway.people import farmers
from gateway.store.base import now
from gateway.store.database import insert_once, vault_of
from gateway.store.models import DeliveryReport, Message
from gateway.store.states import MessageState

Fate = Literal["", "delivered", "failed", "absent"]


@dataclass(frozen=True, slots=True)
class Report:
    """One report in our words; `status` and `reason` as the network spells them.

    A reason that gateway.outbox.reasons knows is spelt as there.

    `fate` is empty while the message is on its way and for a status that we do not know.
    """

    provider_id: str
    status: str
    fate: Fate = ""
    reason: str = ""
    phone: str | None = None
    network_code: str = ""
    provider: str = FIRST


def receive(session: Session, report: Report) -> bool:
    """Keep a report and let it act on its message, if that is known yet.

    Returns: False when the same report was here before.
    """
    digest = vault_of(session).number(report.phone) if report.phone else None
    provider_id = scoped(report.provider, report.provider_id)
    new = insert_once(
        session,
        DeliveryReport,
        {
            "provider": report.provider,
            "provider_id": provider_id,
            "status": report.status,
            "reason": report.reason,
            "fate": report.fate,
            "address_digest": digest,
            "network_code": report.network_code,
        },
        "provider_id",
        "status",
        "reason",
    )
    if new:
        query = select(Message).where(
            Message.provider_id == provider_id, Message.provider == report.provider
        )
        message = session.scalar(query.with_for_update())
        if message is not None:
            match(session, message)
    return new


def match(session: Session, message: Message) -> None:
    """Let all kept reports of this message act on it; also those that came before its answer."""
    if not message.provider_id:
        return
    query = (
        select(DeliveryReport)
        .where(
            DeliveryReport.provider_id == message.provider_id,
            DeliveryReport.provider == message.provider,
            DeliveryReport.message_id.is_(None),
        )
        .order_by(DeliveryReport.id)
    )
    for report in session.scalars(query).all():
        report.message_id = message.id
        act(message, report.fate, report.reason or report.status, report.received_at)
        if report.reason == UNWANTED:
            blacklisted(session, message)


def blacklisted(session: Session, message: Message) -> None:
    """The network says that the farmer with this number wants no messages from us, whatever the
    message was about."""
    farmer = farmers.find(session, message.address)
    if farmer is not None:
        farmers.opt_out(session, farmer, by="network")


def act(message: Message, fate: str, reason: str, at: datetime | None = None) -> None:
    """One report on one message. Never back from a final state, except from `absent`, for a phone
    that was off may still get the message, and from a fate that nobody knew. What waits to be sent
    once more because nobody knew it need not go when the first has arrived."""
    late = {(MessageState.FAILED, "absent"), (MessageState.FAILED, "fate_unknown"),
            (MessageState.QUEUED, "resent")}  # fmt: skip
    late_delivery = fate == "delivered" and (message.state, message.outcome) in late
    if message.state not in (MessageState.SENT, MessageState.UNKNOWN) and not late_delivery:
        return
    at = at or now()
    if fate == "delivered":
        message.state, message.outcome = MessageState.DELIVERED, None
    elif fate == "failed" and (again := _again(message, reason, at)):
        message.state, message.outcome = MessageState.QUEUED, reason
        message.not_before, message.resent_at = again, at
        return
    elif fate:
        message.state = MessageState.FAILED
        message.outcome = "absent" if fate == "absent" else reason[:40]
    else:
        return
    message.final_at = at


def _again(message: Message, reason: str, at: datetime) -> datetime | None:
    """When to send once more what the network could not deliver, if that is of use."""
    wait, policy = AGAIN_AFTER.get(reason), POLICY.get(message.kind)
    if wait is None or policy is None or not policy.twice or message.resent_at is not None:
        return None
    return at + wait if at + wait - message.created_at <= policy.lifetime else None
