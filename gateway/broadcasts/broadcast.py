"""A text to all farmers of an area who agreed to be written to: drafted by one, sent by another.

A draft says whom it reaches and what it costs. Another admin approves it. Then a sweep puts the
messages into the outbox, a few at a time and behind everything else, so that an answer to a farmer
never waits for a broadcast. Each farmer has a key of her own: what runs twice, she reads once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.outbox.kinds import Kind
from gateway.people import areas
from gateway.store.base import now
from gateway.store.models import Broadcast, Event, Farmer, Message, Operator
from gateway.store.states import MessageState

DRAFT, APPROVED, POSTED, CANCELLED = "draft", "approved", "posted", "cancelled"
PRIORITY = 9
"""After every kind of message there is."""
PRICED = 1000
"""Newest messages of which the price of the next is guessed."""
FALLBACK = "en"
TEMPLATE = "broadcast"


class BroadcastError(Exception):
    """It cannot be drafted or decided; `code` is stable: `no_text`, `nobody`, `same_person`,
    `decided`, `not_found`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Reach:
    """Whom a broadcast would reach now, and for how much."""

    farmers: int
    by_language: Mapping[str, int]
    """In the language in which each will read it."""
    cost: Mapping[str, Decimal]
    """By currency, at the mean price of the newest messages; empty when no price is known."""


def reach(session: Session, area: str, languages: frozenset[str]) -> Reach:
    """Count before anything is written. Three queries."""
    rows = session.execute(
        select(Farmer.language, func.count())
        .where(*_willing(session, area))
        .group_by(Farmer.language)
    )
    by_language: dict[str, int] = {}
    for language, count in rows:
        read = language if language in languages else FALLBACK
        by_language[read] = by_language.get(read, 0) + count
    farmers = sum(by_language.values())
    price = mean_price(session)
    return Reach(farmers, by_language, {code: mean * farmers for code, mean in price.items()})


def mean_price(session: Session) -> dict[str, Decimal]:
    """Mean price of a message by currency, of the newest that have one. One query."""
    newest = (
        select(Message.currency, Message.cost, Message.parts)
        .where(Message.sent_at.is_not(None), Message.currency.is_not(None))
        .order_by(Message.sent_at.desc())
        .limit(PRICED)
        .subquery()
    )
    rows = session.execute(
        select(newest.c.currency, func.sum(newest.c.cost), func.sum(newest.c.parts)).group_by(
            newest.c.currency
        )
    )
    return {currency: Decimal(cost) / parts for currency, cost, parts in rows if cost and parts}


def draft(
    session: Session, operator: Operator, area: str, texts: Mapping[str, str], farmers: int
) -> Broadcast:
    """Keep a broadcast for a second person to approve.

    Args:
        texts: by language, folded to GSM 03.38 and no longer than one SMS; English among them.
        farmers: how many it reaches, as the drafter was shown.

    Raises: BroadcastError.
    """
    if not texts.get(FALLBACK, "").strip():
        raise BroadcastError("no_text")
    if not farmers:
        raise BroadcastError("nobody")
    row = Broadcast(area=area, texts=dict(texts), farmers=farmers, drafted_by=operator.id)
    session.add(row)
    session.flush()
    _record(session, row, "broadcast_drafted", operator)
    return row


def approve(session: Session, operator: Operator, broadcast_id: int) -> Broadcast:
    """Send it. Raises: BroadcastError (`same_person`: nobody approves a draft of their own)."""
    row = _undecided(session, broadcast_id)
    if row.drafted_by == operator.id:
        raise BroadcastError("same_person")
    _decide(session, row, APPROVED, "broadcast_approved", operator)
    return row


def cancel(session: Session, operator: Operator, broadcast_id: int) -> Broadcast:
    """Send nothing of a draft, or no more of what is being sent. Raises: BroadcastError."""
    row = session.get(Broadcast, broadcast_id, with_for_update=True)
    if row is None:
        raise BroadcastError("not_found")
    if row.state not in (DRAFT, APPROVED):
        raise BroadcastError("decided")
    _decide(session, row, CANCELLED, "broadcast_cancelled", operator)
    return row


def post_some(session: Session, room: int) -> int:
    """Put up to `room` messages of the oldest approved broadcast into the outbox.

    Returns:
        How many were put. The row is held meanwhile, so two sweeps at once take turns.
    """
    row = session.scalar(
        select(Broadcast)
        .where(Broadcast.state == APPROVED)
        .order_by(Broadcast.id)
        .limit(1)
        .with_for_update()
    )
    if row is None or room <= 0:
        return 0
    farmers = session.scalars(
        select(Farmer)
        .where(*_willing(session, row.area), Farmer.id > row.reached)
        .order_by(Farmer.id)
        .limit(room)
    ).all()
    made = sum(_post(session, row, farmer) for farmer in farmers)
    row.posted += made
    if farmers:
        row.reached = farmers[-1].id
    if len(farmers) < room:
        row.state = POSTED
        data = {"broadcast": row.id, "posted": row.posted}
        session.add(Event(kind="broadcast_posted", actor="sweep", data=data))
    return made


def waiting(session: Session) -> int:
    """Messages of broadcasts that the outbox holds."""
    query = select(func.count()).where(
        Message.state.in_((MessageState.QUEUED, MessageState.HELD)), Message.priority == PRIORITY
    )
    return session.scalar(query) or 0


def _willing(session: Session, area: str) -> tuple[ColumnElement[bool], ...]:
    """Farmers in the area who consented and have not opted out.

    Spellings of an area differ in case and accents, so the few there are get compared here.
    """
    spellings = session.scalars(select(Farmer.area).where(Farmer.area.is_not(None)).distinct())
    covered = [name for name in spellings if name and _covers(area, name)]
    return Farmer.area.in_(covered), Farmer.consent_at.is_not(None), Farmer.opted_out_at.is_(None)


def _covers(area: str, other: str) -> bool:
    mine = areas.units(area)
    return bool(mine) and areas.units(other)[: len(mine)] == mine


def _post(session: Session, row: Broadcast, farmer: Farmer) -> bool:
    language = farmer.language if farmer.language in row.texts else FALLBACK
    return outbox.post(
        session,
        key=f"broadcast:{row.id}:{farmer.id}",
        to=farmer.phone,
        text=row.texts[language],
        kind=Kind.NOTICE,
        priority=PRIORITY,
        farmer_id=farmer.id,
        language=language,
        template=TEMPLATE,
    )


def _undecided(session: Session, broadcast_id: int) -> Broadcast:
    row = session.get(Broadcast, broadcast_id, with_for_update=True)
    if row is None:
        raise BroadcastError("not_found")
    if row.state != DRAFT:
        raise BroadcastError("decided")
    return row


def _decide(session: Session, row: Broadcast, state: str, kind: str, operator: Operator) -> None:
    row.state, row.decided_by, row.decided_at = state, operator.id, now()
    _record(session, row, kind, operator)


def _record(session: Session, row: Broadcast, kind: str, operator: Operator) -> None:
    data = {"broadcast": row.id, "area": row.area, "farmers": row.farmers}
    session.add(Event(kind=kind, actor=f"operator:{operator.id}", data=data))
