"""One incoming SMS: kept once, understood, answered in the same transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.dialogue.answers import HOLD
from gateway.dialogue.parts import Parts
from gateway.dialogue.sms import farmer as farmers_side
from gateway.dialogue.sms import officer as officers_side
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import LONGEST, Command, Vocabulary
from gateway.outbox.network import FIRST
from gateway.people import farmers, msisdn, officers
from gateway.store.base import now
from gateway.store.database import insert_once, vault_of
from gateway.store.models import Message
from gateway.store.states import MessageState
from gateway.words import typed

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
        "key": _key(incoming),
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


def _key(incoming: Incoming) -> str:
    return f"in:{incoming.id}"[:120]


def _act(parts: Parts, session: Session, incoming: Incoming) -> None:
    words = Vocabulary.of(parts.texts)
    text = typed(incoming.text)
    officer = officers.by_phone(session, incoming.from_phone)
    operator = incoming.from_phone == parts.desk.operator_phone
    most = OFFICERS_REPLIES if officer or operator else REPLIES
    sent = _replies(session, incoming.from_phone)
    reply = None
    if (officer or operator) and sent >= most - 1 and words.read(text).command is not Command.STOP:
        # Whoever forges the sender must not act where the real one is no longer told.
        reply = Reply("reply_limit", officer.language if officer else parts.desk.language)
    elif officer is not None or operator:
        began = now()
        language = officer.language if officer else parts.desk.language
        asked = officers_side.Asked(incoming.from_phone, language, officer, operator)
        reply = officers_side.act(parts, session, asked, words, text)
        if reply is not None and reply.case_id is not None:
            _hold(session, reply.case_id, began)
    if reply is None:
        farmer = farmers.find(session, incoming.from_phone)
        message = session.scalar(select(Message).where(Message.key == _key(incoming)))
        reply = farmers_side.act(parts, session, incoming.from_phone, farmer, words, text, message)
    if reply is None:
        return
    if sent >= most and not reply.must:
        log.warning("sms loop with %s cut off", msisdn.mask(incoming.from_phone))
        return
    if sent == most - 1 and not reply.must:
        # The last one says so: silence would be a dead end.
        reply = Reply("reply_limit", reply.language, farmer_id=reply.farmer_id)
    texts = reply.texts or (parts.texts.render(reply.template, reply.language, **reply.values),)
    for number, part in enumerate(texts, 1):
        key = f"sms:{incoming.id}"[:120]
        outbox.post(
            session,
            key=key if number == 1 else f"{key[:110]}:{number}",
            to=incoming.from_phone,
            text=part,
            kind=outbox.Kind.REPLY,
            template=reply.template,
            language=reply.language,
            farmer_id=reply.farmer_id,
            officer_id=officer.id if officer else None,
            case_id=reply.case_id,
        )


def _hold(session: Session, case_id: int, began: datetime) -> None:
    """What an officer's SMS causes waits until its sender, who sees the echo, could take it back;
    but not that something was taken back."""
    until = now() + HOLD
    session.execute(
        update(Message)
        .where(
            Message.case_id == case_id,
            Message.farmer_id.is_not(None),
            Message.state == MessageState.QUEUED,
            Message.template != "officer_undone",
            Message.created_at >= began,
            Message.not_before < until,
        )
        .values(not_before=until)
    )


def _replies(session: Session, phone: str) -> int:
    query = select(func.count(Message.id)).where(
        Message.address_digest.in_(vault_of(session).numbers(phone)),
        Message.direction == "out",
        Message.kind == outbox.Kind.REPLY.value,
        Message.created_at > now() - PERIOD,
    )
    return session.scalar(query) or 0
