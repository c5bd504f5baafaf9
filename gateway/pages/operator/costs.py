"""What messages cost, by day or week, provider and kind, and what of the month's budget is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.context import Context
from gateway.figures import counts
from gateway.pages.operator import paging
from gateway.store.base import now
from gateway.store.models import Message
from gateway.store.sql import seconds_between

DAY = timedelta(days=1)
SPANS = {"day": (DAY, 14), "week": (7 * DAY, 13)}
"""Length of a row and how many there are."""
NEARLY = Decimal("0.8")
"""From this share on a budget is amber."""


@dataclass(frozen=True)
class Row:
    """One day or week, by its last day; of one currency, provider and kind."""

    day: datetime
    currency: str
    provider: str
    kind: str
    messages: int
    parts: int
    cost: Decimal


@dataclass(frozen=True)
class Budget:
    currency: str
    most: Decimal
    spent: Decimal

    @property
    def share(self) -> float:
        return float(self.spent / self.most) if self.most else 0.0

    @property
    def tone(self) -> str:
        """`bad` when it is spent, `warn` when it nearly is."""
        if self.spent >= self.most:
            return "bad"
        return "warn" if self.spent >= self.most * NEARLY else ""


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/costs", endpoint="costs")
    def page() -> ResponseReturnValue:
        asked = request.args.get("by", "day")
        by = asked if asked in SPANS else "day"
        moment = now()
        with context.store.reading() as session:
            rows = collect(session, moment, *SPANS[by])
            budget = of_month(session, context.settings.monthly_budget, moment)
        return render_template(
            "operator/costs.html", here_is="costs", page=paging.Rows(rows, None), by=by,
            spans=[*SPANS], budget=budget, totals=totals(rows),
        )  # fmt: skip


def collect(session: Session, moment: datetime, length: timedelta, count: int) -> list[Row]:
    """The newest first. One query, whose rows are as many as kinds of row."""
    end = counts.end_of_day(moment)
    ago = (seconds_between(Message.sent_at, end) // int(length.total_seconds())).label("ago")
    said = (ago, Message.currency, Message.provider, Message.kind)
    query = (
        select(*said, func.count(), func.sum(Message.parts), func.sum(Message.cost))
        .where(Message.sent_at >= end - count * length, Message.sent_at < end)
        .where(Message.currency.is_not(None))
        .group_by(*said)
    )
    found = [
        Row(end - length * int(back) - DAY, currency or "", provider, kind, number, int(parts or 0),
            Decimal(cost or 0))
        for back, currency, provider, kind, number, parts, cost in session.execute(query)
    ]  # fmt: skip
    return sorted(found, key=lambda row: (row.day, row.currency, row.cost), reverse=True)


def of_month(session: Session, budget: str, moment: datetime) -> Budget | None:
    """What of the budget is spent since the month began; None without a budget."""
    if not budget:
        return None
    currency, most = budget.split()
    end = counts.end_of_day(moment)
    began = (end - DAY).replace(day=1)
    spent = session.scalar(
        select(func.sum(Message.cost)).where(
            Message.sent_at >= began, Message.sent_at < end, Message.currency == currency
        )
    )
    return Budget(currency, Decimal(most), Decimal(spent or 0))


def totals(rows: list[Row]) -> list[tuple[str, Decimal]]:
    """Of each currency."""
    found: dict[str, Decimal] = {}
    for row in rows:
        found[row.currency] = found.get(row.currency, Decimal(0)) + row.cost
    return sorted(found.items())
