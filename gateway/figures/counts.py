"""Counting: what the store says of cases, the machine and the promises, in a fixed few queries.

Weeks are 7 days long and counted back from `end`; 0 is the newest. No count names a person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session, aliased

from gateway.people import areas
from gateway.store.base import now
from gateway.store.models import Case, Diagnosis, Escalation, Label, Message, Photo
from gateway.store.sql import first_unit, seconds_between, weeks_ago

OTHER = "other"
"""The label of a case in which an officer saw none of the five."""
UNKNOWN = "unknown"
"""The label of a case of which neither the machine nor an officer has said what it looks like."""
NOWHERE = ""
"""The district of a case without an area."""
BINS = 10
"""Of confidence, 0 to 1."""
ANSWER_SECONDS = 60
ESCALATION_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Count:
    weeks_ago: int
    district: str
    label: str
    count: int


@dataclass(frozen=True)
class Verdicts:
    """Photos that got one verdict in one week, with a confidence from bin / 10 up."""

    weeks_ago: int
    verdict: str
    bin: int
    count: int
    confidence: float
    """Sum, for the mean."""


@dataclass(frozen=True)
class Share:
    """Of one week: how many there were, and how many of them fit."""

    weeks_ago: int
    whole: int
    part: int


def end_of_day(moment: datetime | None = None) -> datetime:
    """The midnight (UTC) that ends the day of `moment`."""
    day = (moment or now()).astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(day, time(), UTC)


def diseases(session: Session, end: datetime, weeks: int) -> list[Count]:
    """Cases by week, district and what they look like; an officer's word goes first.

    Every case is counted once: what nobody could name, or has not named yet, is unknown. Two
    queries.
    """
    found: Counter[tuple[int, str, str]] = Counter()
    names: dict[str, Counter[str]] = defaultdict(Counter)

    @cache
    def unit(raw: str) -> str:
        return next(iter(areas.units(raw)), NOWHERE)

    def place(raw: str, count: int) -> str:
        district = unit(raw)
        if district:
            names[district][raw.strip()] += count
        return district

    for week, raw, label, count in session.execute(_by_machine(end, weeks)):
        found[week, place(raw, count), label] += count
    for week, raw, label, officers, count in session.execute(_corrected(end, weeks)):
        district = place(raw, 0)
        found[week, district, label] -= count
        found[week, district, OTHER if officers == "none" else officers] += count
    spelt = {plain: spellings.most_common(1)[0][0] for plain, spellings in names.items()}
    return [
        Count(week, spelt.get(district, district), label, count)
        for (week, district, label), count in sorted(found.items())
        if count > 0
    ]


def _by_machine(end: datetime, weeks: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            weeks_ago(Case.created_at, end).label("week"),
            first_unit(func.coalesce(Case.area, "")).label("district"),
            _said().label("looks_like"),
            func.count(),
        )
        .where(*_within(Case.created_at, end, weeks))
        .group_by("week", "district", "looks_like")
    )


def _said() -> ColumnElement[str]:
    """What the machine said, where it was sure."""
    sure = (Case.verdict == "advice") & Case.label.is_not(None)
    return case((sure, Case.label), else_=UNKNOWN)


def _corrected(end: datetime, weeks: int) -> Any:
    others = aliased(Label)
    newest = (
        select(others.id)
        .where(others.case_id == Case.id)
        .order_by(others.updated_at.desc(), others.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            weeks_ago(Case.created_at, end).label("week"),
            first_unit(func.coalesce(Case.area, "")).label("district"),
            # What the case was counted as before the officer spoke.
            _said().label("looks_like"),
            Label.label.label("officers"),
            func.count(),
        )
        .join(Label, Label.case_id == Case.id)
        .where(*_within(Case.created_at, end, weeks), Label.id == newest)
        .group_by("week", "district", "looks_like", "officers")
    )


def verdicts(session: Session, end: datetime, weeks: int) -> list[Verdicts]:
    """What the machine said of single photos. One query."""
    confidence = func.coalesce(Diagnosis.confidence, 0.0)
    bins = case(*((confidence >= n / BINS, n) for n in reversed(range(1, BINS))), else_=0)
    rows = session.execute(
        select(
            weeks_ago(Diagnosis.created_at, end).label("week"),
            Diagnosis.verdict,
            bins.label("bin"),
            func.count(),
            func.sum(confidence),
        )
        .where(*_within(Diagnosis.created_at, end, weeks))
        .group_by("week", Diagnosis.verdict, "bin")
    )
    return [Verdicts(*row) for row in rows]


def disagreements(session: Session, end: datetime, weeks: int) -> list[Share]:
    """Of the photos that officers labelled: how many the machine had called something else.

    Officers see what the machine was unsure of, so this is no error rate of the service. One query.
    """
    rows = session.execute(
        select(
            weeks_ago(Label.updated_at, end).label("week"),
            func.count(),
            func.sum(case((Label.agreed, 0), else_=1)),
        )
        .where(*_within(Label.updated_at, end, weeks))
        .group_by("week")
    )
    return [Share(*row) for row in rows]


def answered_in_time(session: Session, end: datetime, weeks: int) -> list[Share]:
    """Of the photos received: after how many an SMS to the farmer left within 60 s. One query."""
    first = (
        select(func.min(Message.sent_at))
        .where(
            Message.case_id == Photo.case_id,
            Message.direction == "out",
            Message.farmer_id.is_not(None),
            Message.sent_at >= Photo.received_at,
        )
        .scalar_subquery()
    )
    in_time = seconds_between(Photo.received_at, first) <= ANSWER_SECONDS
    return _shares(session, Photo.received_at, in_time, end, weeks)


def escalations_in_time(
    session: Session, end: datetime, weeks: int, moment: datetime
) -> list[Share]:
    """Of the cases that a person got over a day ago: how many were answered in a day. One query."""
    in_time = Escalation.closed_at.is_not(None) & (
        seconds_between(Escalation.opened_at, Escalation.closed_at) <= ESCALATION_SECONDS
    )
    due = Escalation.opened_at <= moment - timedelta(seconds=ESCALATION_SECONDS)
    return _shares(session, Escalation.opened_at, in_time, end, weeks, due)


def _shares(
    session: Session,
    instant: Any,
    fits: ColumnElement[bool],
    end: datetime,
    weeks: int,
    *conditions: ColumnElement[bool],
) -> list[Share]:
    rows = session.execute(
        select(
            weeks_ago(instant, end).label("week"),
            func.count(),
            func.sum(case((fits, 1), else_=0)),
        )
        .where(*_within(instant, end, weeks), *conditions)
        .group_by("week")
    )
    return [Share(*row) for row in rows]


def _within(instant: Any, end: datetime, weeks: int) -> tuple[ColumnElement[bool], ...]:
    return instant >= end - timedelta(weeks=weeks), instant < end
