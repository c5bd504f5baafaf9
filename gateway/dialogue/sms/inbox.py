"""One incoming SMS: kept once, understood, answered in the same transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.dialogue.parts import Parts
from gateway.dialogue.sms import farmer as farmers_side
from gateway.dialogue.sms import officer as officers_side
from gateway.dialogue.sms.words import LONGEST, Vocabulary
from gateway.outbox.network import FIRST
from gateway.people import farmers, msisdn, officers
from gateway.store.base import now
from gateway.store.database import insert_once, vault_of
from gateway.store.models import Message
from gateway.store.states import MessageState

log = logging.getLogger("leafline.sms")

REPLIES, PERIOD = 6, timedelta(minutes=10)
"""Replies that one number gets in a period; beyond that a machine is writing to a machine."""
OFFICERS_REPLIES = 40
"""The same for an officer, who may answer many cases in one go."""


@dataclass(frozen=True)
class Incoming:
    """An SMS as the network delivered it."""

    id: str
    """The network's; the same id is the same message."""
    from_phone: str
    """E.164."""
    text: str
    date: datetime
    provider: str = FIRST
    """By which it came."""


def receive(parts: Parts, incoming: Incoming) -> None:
    """Keep the message and do what it says, once for each id.

    Raises:
        SQLAlchemyError: it could not be kept; the network may deliver it again.
    """
    try:
        with parts.store.transaction() as session:
            if _keep(session, incoming):
                _act(parts, session, incoming)
    except SQLAlchemyError:
        raise
    except Exception:
        # Delivering it again would fail again; it stays readable for a person.
        log.exception("sms from %s not understood", msisdn.mask(incoming.from_phone))
        with parts.store.transaction() as session:
            _keep(session, incoming, outcome="error")


def _keep(session: Session, incoming: Incoming, outcome: str | None = None) -> bool:
    values = {
        "key": f"in:{incoming.id}"[:120],
        "direction": "in",
        "provider": incoming.provider,
        "address": incoming.from_phone,
        "address_digest": vault_of(session).number(incoming.from_phone),
        "kind": "sms",
        "text": incoming.text[:LONGEST],
        "state": MessageState.RECEIVED,
        "outcome": outcome,
        "created_at": now(),
        "sent_at": incoming.date,
    }
    return insert_once(session, Message, values, "key")


def _act(parts: Parts, session: Session, incoming: Incoming) -> None:
    words = Vocabulary.of(parts.texts)
    officer = officers.by_phone(session, incoming.from_phone)
    reply = None
    if officer is not None:
        reply = officers_side.act(parts, session, officer, words, incoming.text)
    if officer is None or reply is None:
        farmer = farmers.find(session, incoming.from_phone)
        reply = farmers_side.act(parts, session, incoming.from_phone, farmer, words, incoming.text)
    if reply is None:
        return
    most = OFFICERS_REPLIES if officer else REPLIES
    if _replies(session, incoming.from_phone) >= most:
        log.warning("sms loop with %s cut off", msisdn.mask(incoming.from_phone))
        return
    outbox.post(
        session,
        key=f"sms:{incoming.id}"[:120],
        to=incoming.from_phone,
        text=parts.texts.render(reply.template, reply.language, **reply.values),
        kind=outbox.Kind.REPLY,
        template=reply.template,
        language=reply.language,
        farmer_id=reply.farmer_id,
        officer_id=officer.id if officer else None,
        case_id=reply.case_id,
    )


def _replies(session: Session, phone: str) -> int:
    query = select(func.count(Message.id)).where(
        Message.address_digest.in_(vault_of(session).numbers(phone)),
        Message.direction == "out",
        Message.kind == outbox.Kind.REPLY.value,
        Message.created_at > now() - PERIOD,
    )
    return session.scalar(query) or 0
