"""Claiming messages, and writing down what came of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from gateway.outbox import decide, money, reports
from gateway.outbox.fallback import Share
from gateway.outbox.kinds import POLICY, Kind
from gateway.outbox.network import FIRST, Money, Outcome, SendResult, scoped
from gateway.outbox.reasons import ABROAD, UNWANTED
from gateway.store import keys
from gateway.store.base import Unreadable
from gateway.store.models import Case, Escalation, Farmer, Message
from gateway.store.states import MessageState

UNREADABLE, UNKNOWN_KIND = "unreadable", "unknown_kind"
"""Outcomes of messages that this program cannot send: another key, a newer program's kind."""


NOT_BEFORE_ITS_ECHO = timedelta(minutes=1)

ALL = Share(FIRST, (FIRST,))
"""What the only provider takes."""


def due(session: Session, now: datetime, share: Share = ALL) -> bool:
    """Whether any message of this share may be claimed now."""
    return session.scalar(select(Message.id).where(*_due(now, share)).limit(1)) is not None


def claim(
    session: Session,
    *,
    limit: int,
    lease: timedelta,
    now: datetime,
    share: Share = ALL,
    limits: money.Limits = money.NONE,
) -> list[Message]:
    """Move up to `limit` due messages of this share to `sending`, the most urgent and oldest first.

    From here on a message names the provider that takes it. No two callers get one message:
    PostgreSQL locks the rows, SQLite lets one writer in. What has become too old, is unwelcome to
    a farmer who opted out, or cannot be read ends here, so that it stops nothing behind it; what
    goes over a ceiling of the day is held.
    """
    query = (
        select(Message)
        .where(*_due(now, share))
        .order_by(Message.priority, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = []
    for message in session.scalars(query).all():
        if _unechoed(session, message):
            message.not_before = now + NOT_BEFORE_ITS_ECHO
            continue
        if (reason := _moot(session, message, limits, now)) == UNREADABLE and keys.lacking(session):
            continue  # a host with the other key can send it; ours is not in order
        if reason:
            state = MessageState.CANCELLED if reason == "opted_out" else MessageState.FAILED
            finish(message, state, reason, now)
        elif scope := money.held_by(session, message, limits, now):
            money.hold(message, scope, limits, now)
        else:
            message.state = MessageState.SENDING
            message.provider = share.provider
            message.lease_until = now + lease
            claimed.append(message)
    return claimed


def _unechoed(session: Session, message: Message) -> bool:
    """Whether words of an officer that could be taken back wait for the echo, which has not left:
    whoever is to take them back has not been asked."""
    if message.kind != Kind.ANSWER or message.not_before - message.created_at < NOT_BEFORE_ITS_ECHO:
        return False
    echo = select(Message.id).where(
        Message.case_id == message.case_id,
        Message.kind == Kind.REPLY,
        Message.farmer_id.is_(None),
        Message.direction == "out",
        Message.state == MessageState.QUEUED,
        Message.created_at >= message.created_at,
    )
    return session.scalar(echo.limit(1)) is not None


def _due(now: datetime, share: Share) -> tuple[ColumnElement[bool], ...]:
    """`resent_at` tells of a message that a provider has, or perhaps has, had before."""
    parts: list[ColumnElement[bool]] = [
        Message.resent_at.is_not(None) & (Message.provider == share.provider)
    ]
    if share.strangers:
        parts.append(Message.resent_at.is_not(None) & Message.provider.not_in(share.order))
    if share.fresh:
        parts.append(Message.resent_at.is_(None))
    return (Message.state == MessageState.QUEUED, Message.not_before <= now, or_(*parts))


def settle(
    session: Session,
    message_id: int,
    result: SendResult,
    now: datetime,
    jitter: float,
    limits: money.Limits = money.NONE,
) -> Message | None:
    """Write down the result of an attempt; None when the message is settled already.

    A report may have come before the answer, and an answer after its lease has run out: neither
    moves a message back from where it is.
    """
    message = session.get(Message, message_id, with_for_update=True)
    if message is None or message.state not in (MessageState.SENDING, MessageState.UNKNOWN):
        return None
    message.lease_until = None
    step = decide.after(result, attempted(message), now, jitter)
    if step.state == MessageState.SENT:
        message.sent_at = now
        message.provider_id = None
        _price(message, result.cost)
        if result.cost is not None:
            money.pay(session, result.cost, limits, now)
    if result.outcome not in (Outcome.SENT, Outcome.UNKNOWN):
        money.give_back(session, message, limits, now)
    if result.provider_id and step.state in (MessageState.SENT, MessageState.UNKNOWN):
        message.provider_id = scoped(message.provider, result.provider_id)
    apply(message, step, now)
    if step.state in (MessageState.SENT, MessageState.UNKNOWN):
        reports.match(session, message)
    if result.reason == UNWANTED:
        reports.blacklisted(session, message)
    return message


def apply(message: Message, step: decide.Step, now: datetime) -> None:
    """Take a step that the rules decided."""
    message.attempts += step.counts
    message.state = step.state
    message.outcome = step.outcome or None
    if step.not_before is not None:
        message.not_before = step.not_before
    if step.state == MessageState.FAILED:
        message.final_at = now


def finish(message: Message, state: MessageState, outcome: str, now: datetime) -> None:
    message.state, message.outcome, message.final_at = state, outcome, now


def attempted(message: Message) -> decide.Attempted:
    return decide.Attempted(
        Kind(message.kind), message.created_at, message.attempts, message.resent_at is not None
    )


def foreign(message: Message) -> str:
    """Why this program cannot send a message, or empty."""
    if message.kind not in POLICY:
        return UNKNOWN_KIND
    unreadable = isinstance(message.address, Unreadable) or isinstance(message.text, Unreadable)
    return UNREADABLE if unreadable else ""


def _moot(session: Session, message: Message, limits: money.Limits, now: datetime) -> str:
    if reason := foreign(message):
        return reason
    if decide.expired(attempted(message), now):
        return "expired"
    if message.farmer_id and _unasked(session, message):
        farmer = session.get(Farmer, message.farmer_id)
        if farmer and farmer.opted_out_at:
            return "opted_out"
    staff = message.officer_id is not None or message.address == limits.operator
    if not staff and money.abroad(message.address, limits.codes):
        return ABROAD
    return ""


def _unasked(session: Session, message: Message) -> bool:
    """Also what comes of a kiosk's upload, for that she wants it is somebody else's word; but not
    where she asked for an officer on her own phone."""
    if POLICY[message.kind].unasked:
        return True
    case = session.get(Case, message.case_id) if message.case_id else None
    if case is None or case.kiosk_id is None or message.kind == Kind.REPLY:
        return False
    asked = select(Escalation.id).where(
        Escalation.case_id == case.id, Escalation.reason.startswith("farmer_")
    )
    return session.scalar(asked.limit(1)) is None


def _price(message: Message, cost: Money | None) -> None:
    if cost is not None:
        message.cost, message.currency = cost.amount, cost.currency or None
