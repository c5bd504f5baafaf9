"""What goes on now: queue, workers, outbox, incidents, people, cost of today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from rq import Worker
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.context import Context
from gateway.figures import counts
from gateway.pages.operator import costs
from gateway.pages.operator.quality import kept_well
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Message, Photo
from gateway.store.states import MessageState

SHOWN = 50
"""Workers listed."""
ON_THE_WAY = (
    MessageState.QUEUED, MessageState.HELD, MessageState.SENDING, MessageState.UNKNOWN
)  # fmt: skip
DAY = timedelta(days=1)
MUCH_LATER = 10


@dataclass(frozen=True)
class Queue:
    waiting: int
    failed: int
    workers: list[tuple[str, str, datetime | None]]
    """(name, state, last sign of life)"""


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/", endpoint="now")
    def page() -> ResponseReturnValue:
        moment = now()
        with context.store.reading() as session:
            facts = collect(session, moment)
            budget = costs.of_month(session, context.settings.monthly_budget, moment)
        return render_template(
            "operator/now.html", here_is="now", queue=queue(context), at=moment, late=late,
            kept_well=kept_well, budget=budget, **facts,
        )  # fmt: skip


def collect(session: Session, moment: datetime) -> dict[str, Any]:
    """Everything that the store tells, in eight queries."""
    midnight = counts.end_of_day(moment) - DAY
    outbox = session.execute(
        select(Message.state, func.count(), func.min(Message.created_at))
        .where(Message.state.in_(ON_THE_WAY))
        .group_by(Message.state)
    )
    waiting = {name: (count, oldest) for name, count, oldest in outbox}
    failed = session.scalar(
        select(func.count()).where(
            Message.state == MessageState.FAILED, Message.final_at >= moment - DAY
        )
    )
    costs = session.execute(
        select(Message.currency, func.sum(Message.cost), func.count())
        .where(Message.sent_at >= midnight, Message.currency.is_not(None))
        .group_by(Message.currency)
    )
    # Grouped by the bare column, SQLite walks through all cases in the order of their state.
    state = func.coalesce(Case.state, "").label("now_in")
    cases = session.execute(
        select(state, func.count()).where(Case.created_at >= midnight).group_by("now_in")
    )
    photos, oldest = session.execute(
        select(func.count(), func.min(Photo.received_at)).where(Photo.diagnosed_at.is_(None))
    ).one()
    open_, overdue = session.execute(
        select(func.count(), func.count().filter(Escalation.opened_at < moment - DAY)).where(
            Escalation.closed_at.is_(None)
        )
    ).one()
    return {
        "outbox": [(name, *waiting.get(name, (0, None))) for name in ON_THE_WAY],
        "failed": failed or 0,
        "costs": [(code, Decimal(cost or 0), count) for code, cost, count in costs],
        "cases": sorted((name, count) for name, count in cases),
        "photos": (photos, oldest),
        "people": (open_, overdue),
        "promises": promises(session, moment),
    }


def promises(session: Session, moment: datetime) -> list[tuple[str, int, int]]:
    """(name, kept, made) of the last 7 days."""
    end = counts.end_of_day(moment)
    found = (
        ("photos", counts.answered_in_time(session, end, 1)),
        ("escalations", counts.escalations_in_time(session, end, 1, moment)),
    )
    return [
        (name, sum(one.part for one in shares), sum(one.whole for one in shares))
        for name, shares in found
    ]


def late(oldest: datetime | None, moment: datetime, seconds: float) -> str:
    """`warn` for what has waited longer than it may, `bad` from ten times that long."""
    if oldest is None:
        return ""
    waited = (moment - oldest).total_seconds() / seconds
    return "bad" if waited > MUCH_LATER else "warn" if waited > 1 else ""


def queue(context: Context) -> Queue | None:
    """What Redis tells; None when it does not answer."""
    try:
        photos = context.photo_queue
        workers = Worker.all(connection=context.redis, serializer=photos.serializer)
        told = [(w.name, str(w.get_state()), w.last_heartbeat) for w in workers[:SHOWN]]
        failed = photos.failed_job_registry.get_job_count(cleanup=False)
        return Queue(photos.count, failed, sorted(told))
    except RedisError:
        return None
