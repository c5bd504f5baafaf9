"""Repairs of the outbox. Safe to run at any time, twice, and on two machines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from gateway.outbox import decide, reports
from gateway.outbox.claim import apply, attempted, finish, foreign
from gateway.store.models import DeliveryReport, Message
from gateway.store.states import MessageState

LONGEST_LEASE = timedelta(minutes=3)
LATE = timedelta(days=1)
"""Reports and fates older than this are left as they are."""
BATCH = 500


def sweep(session: Session, now: datetime) -> Counter[str]:
    """Run every repair once; returns what was repaired, by name."""
    repaired: Counter[str] = Counter()
    repaired["lease_expired"] = expire_leases(session, now)
    repaired["report_missed"] = match_strays(session, now)
    repaired["fate_reported"] = settle_by_phone(session, now)
    repaired["fate_unknown"] = give_up_waiting(session, now)
    return +repaired


def expire_leases(session: Session, now: datetime) -> int:
    """A sender died between its request and the answer: perhaps the message went."""
    query = select(Message).where(Message.state == MessageState.SENDING, Message.lease_until < now)
    dead = session.scalars(query.limit(BATCH).with_for_update(skip_locked=True)).all()
    for message in dead:
        # From the lease on, not from now: reports may have come while no sender was there.
        ended = message.lease_until or now
        message.lease_until = None
        step = decide.Step(MessageState.UNKNOWN, "sender_died", ended + decide.UNKNOWN_FOR)
        apply(message, step, now)
    return len(dead)


def match_strays(session: Session, now: datetime) -> int:
    """A report and the answer it belongs to, committed in the same moment, miss each other."""
    query = (
        select(Message)
        .join(
            DeliveryReport,
            (DeliveryReport.provider_id == Message.provider_id)
            & (DeliveryReport.provider == Message.provider),
        )
        .where(DeliveryReport.message_id.is_(None), DeliveryReport.received_at > now - LATE)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Message)
    )
    stray = session.scalars(query).unique().all()
    for message in stray:
        reports.match(session, message)
    return len(stray)


def settle_by_phone(session: Session, now: datetime) -> int:
    """Settle unknown fates by reports that name the same number and no message we know.

    The answer that carried the provider's id was lost, so the number is all there is. It is proof
    only where every attempt to this number whose answer was lost has its report, those included
    that were made again since, and no message that was taken waits for its own: a report under a
    strange id may be that one's. Else nobody can say which one went, and nothing is guessed. What
    one provider reports says nothing about what another was given.
    """
    query = select(Message).where(*_lost(now))
    lost: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in session.scalars(
        query.order_by(Message.id).limit(BATCH).with_for_update(skip_locked=True)
    ):
        lost[message.provider, message.address_digest].append(message)
    return sum(_settle_one_phone(session, *whose, found, now) for whose, found in lost.items())


def _lost(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Whose last attempt may or may not have been taken."""
    return (
        or_(
            Message.state == MessageState.UNKNOWN,
            (Message.state == MessageState.FAILED) & (Message.outcome == "fate_unknown"),
        ),
        Message.provider_id.is_(None),
        Message.not_before > now - LATE,
    )


def _settle_one_phone(
    session: Session, provider: str, digest: str, messages: Sequence[Message], now: datetime
) -> int:
    began = min(m.not_before for m in messages) - decide.UNKNOWN_FOR - LONGEST_LEASE
    ids = session.scalars(
        select(DeliveryReport.provider_id)
        .where(
            DeliveryReport.message_id.is_(None),
            DeliveryReport.provider == provider,
            DeliveryReport.address_digest == digest,
            DeliveryReport.received_at.between(began, now),
            ~exists().where(Message.provider_id == DeliveryReport.provider_id),
        )
        .order_by(DeliveryReport.id)
    ).all()
    distinct = list(dict.fromkeys(ids))
    # Asked after the reports: one of them may belong to a message whose answer is just coming.
    unreported = session.scalar(
        select(Message.id)
        .where(
            Message.provider == provider,
            Message.address_digest == digest,
            or_(
                Message.state == MessageState.SENDING,
                (Message.state == MessageState.SENT) & (Message.sent_at > began),
            ),
        )
        .limit(1)
    )
    if unreported is not None or len(distinct) != _lost_attempts(session, provider, digest, now):
        return 0
    for message, provider_id in zip(messages, distinct, strict=False):
        message.provider_id = provider_id
        message.state, message.outcome, message.final_at = MessageState.SENT, None, None
        message.sent_at = now
        reports.match(session, message)
    return len(messages)


def _lost_attempts(session: Session, provider: str, digest: str, now: datetime) -> int:
    """Attempts to a number whose answer was lost: last ones, and first ones of two."""
    count = select(func.count(Message.id)).where(
        Message.provider == provider, Message.address_digest == digest
    )
    last = session.scalar(count.where(*_lost(now))) or 0
    first = session.scalar(count.where(Message.resent_at > now - LATE)) or 0
    return last + first


def give_up_waiting(session: Session, now: datetime) -> int:
    """No report came: send once more where twice is better than never, else a person sees it."""
    query = select(Message).where(Message.state == MessageState.UNKNOWN, Message.not_before <= now)
    overdue = session.scalars(query.limit(BATCH).with_for_update(skip_locked=True)).all()
    for message in overdue:
        if foreign(message):
            finish(message, MessageState.FAILED, "fate_unknown", now)
            continue
        step = decide.after_unknown(attempted(message), now)
        if step.state == MessageState.QUEUED:
            message.resent_at = now
        apply(message, step, now)
    return len(overdue)
