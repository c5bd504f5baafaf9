"""Routing: which officer gets a case, at first and when it changes hands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, func, or_, select
from sqlalchemy.orm import Session

from gateway.people import areas, hours
from gateway.store.area_key import area_key, covering
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

    Of those at work equally soon one who speaks the farmer's language goes first: an answer that
    she cannot read helps nobody, however soon it comes. Then the one with the fewest open cases,
    then the one whose area is the closest match, then the longest in service. A case without an
    area goes to any officer on duty.

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
    query = select(
        Officer.id,
        Officer.area,
        Officer.languages,
        Officer.work_days,
        Officer.work_hours,
        open_cases.label("load"),
    ).where(*_takes_cases(moment))
    keys = covering(area)
    if keys is not None:
        query = query.where(or_(Officer.area_key.in_(keys), Officer.area_key.is_(None)))
    rows = session.execute(query).all()

    def rank(row: Row[Any]) -> tuple[Any, ...]:
        return (
            hours.until_work(row.work_days, row.work_hours, zone, moment),
            language not in row.languages.split(","),
            row.load,
            -areas.closeness(row.area, area),
            row.id,
        )

    able = [row for row in rows if row.id not in exclude and areas.closeness(row.area, area)]
    return session.get_one(Officer, min(able, key=rank).id) if able else None


def _takes_cases(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Officer.on_duty.is_(True),
        or_(Officer.away_until.is_(None), Officer.away_until <= moment),
        Officer.disabled_at.is_(None),
    )


class Team:
    """The officers who take cases now, asked once, to tell of many cases whether somebody can."""

    def __init__(self, session: Session) -> None:
        self._by_key: dict[str, set[int]] = {}
        query = select(Officer.id, Officer.area, Officer.area_key).where(*_takes_cases(now()))
        for number, area, key in session.execute(query):
            self._by_key.setdefault(area_key(area) if key is None else key, set()).add(number)
        self._everybody: set[int] = set().union(*self._by_key.values())

    def has(self, area: str | None, besides: frozenset[int]) -> bool:
        """Whether an officer who is none of `besides` covers the area."""
        keys = covering(area)
        if keys is None:
            return bool(self._everybody - besides)
        return any(self._by_key.get(key, set()) - besides for key in keys)


def taker(session: Session, case: Case, zone: ZoneInfo) -> Officer | None:
    """Who gets a case that no officer has."""
    return choose(session, case.area, case.spoken, zone=zone)


def colleague(session: Session, case: Case, zone: ZoneInfo) -> Officer | None:
    """Who gets a case that is handed over, by its officer or because that one does not answer:
    somebody who has not had it, so that it never goes round in a circle."""
    return choose(session, case.area, case.spoken, had_by(session, case), zone=zone)


def had_by(session: Session, case: Case) -> frozenset[int]:
    """Ids of the officers who have the case or had it."""
    return had_by_many(session, [case.id])[case.id]


def had_by_many(session: Session, cases: Collection[int]) -> Mapping[int, frozenset[int]]:
    """The same for many cases at once, by their ids."""
    query = select(Escalation.case_id, Escalation.officer_id).where(
        Escalation.case_id.in_(cases), Escalation.officer_id.is_not(None)
    )
    found: dict[int, set[int]] = {number: set() for number in cases}
    for case_id, officer_id in session.execute(query):
        assert officer_id is not None
        found[case_id].add(officer_id)
    return {number: frozenset(officers) for number, officers in found.items()}
