"""Routing: which officer gets a case, at first and when it changes hands."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from gateway.people import areas, hours
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Officer


def choose(
    session: Session,
    area: str | None,
    language: str,
    exclude: frozenset[int] = frozenset(),
    *,
    zone: ZoneInfo = hours.UTC_ZONE,
    moment: datetime | None = None,
) -> Officer | None:
    """The officer who takes a case: on duty, for its area, and at work now or soonest.

    Of those at work equally soon the one with the fewest open cases goes first, then one who
    speaks the farmer's language, then the one whose area is the closest match, then the longest
    in service. A case without an area goes to any officer on duty.

    Args:
        zone: of the officers' working hours.
        moment: now, unless another instant is asked about.
    """
    moment = moment or now()
    open_cases = (
        select(func.count(Escalation.id))
        .where(Escalation.officer_id == Officer.id, Escalation.closed_at.is_(None))
        .correlate(Officer)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Officer, open_cases).where(
            Officer.on_duty,
            or_(Officer.away_until.is_(None), Officer.away_until <= moment),
            Officer.disabled_at.is_(None),
        )
    ).all()

    def rank(row: Row[Officer, int]) -> tuple[Any, ...]:
        officer, count = row
        return (
            hours.until_work(officer.work_days, officer.work_hours, zone, moment),
            count,
            language not in officer.languages.split(","),
            -areas.closeness(officer.area, area),
            officer.id,
        )

    able = [row for row in rows if row[0].id not in exclude and areas.closeness(row[0].area, area)]
    return min(able, key=rank)[0] if able else None


def taker(session: Session, case: Case, zone: ZoneInfo) -> Officer | None:
    """Who gets a case that no officer has."""
    return choose(session, case.area, case.spoken, zone=zone)


def colleague(session: Session, case: Case, zone: ZoneInfo) -> Officer | None:
    """Who gets a case that is handed over, by its officer or because that one does not answer:
    somebody who has not had it, so that it never goes round in a circle."""
    return choose(session, case.area, case.spoken, had_by(session, case), zone=zone)


def had_by(session: Session, case: Case) -> frozenset[int]:
    """Ids of the officers who have the case or had it."""
    query = select(Escalation.officer_id).where(
        Escalation.case_id == case.id, Escalation.officer_id.is_not(None)
    )
    return frozenset(number for number in session.scalars(query) if number is not None)
