"""What the officer's pages show, fetched in a fixed number of questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from gateway.agronomy import BESIDE
from gateway.cases import heard
from gateway.cases.case import by_code
from gateway.store.models import Case, Diagnosis, Escalation, Event, Officer, Photo
from inference.verdict import labels_of

PAGE = 20
KINDS = (
    "case", "label", "photo_asked", "number_shown", "promised", "went_on", "product_named",
    heard.WROTE,
)  # fmt: skip
"""Kinds of event that an officer's history tells."""
HISTORY = 30
"""Lines of history shown, the newest."""
NEIGHBOURS = 10
NEIGHBOURHOOD = timedelta(days=30)


@dataclass(frozen=True)
class PhotoFacts:
    """One photo and what the machine said of it; the verdict is empty while it waits."""

    id: int
    received_at: datetime
    verdict: str | None
    ranked: tuple[tuple[str, float], ...]
    """The three most probable labels with calibrated confidence, 0 to 1, best first."""
    quality: tuple[str, ...]
    """Names of what is wrong with the photo."""
    unknown_score: float | None
    nearest: str | None
    """What beside the labels the photo is nearest to."""


@dataclass(frozen=True)
class Neighbours:
    """Cases of the same area in the last 30 days, nobody named."""

    counts: list[tuple[str | None, int]]
    recent: Sequence[Any]
    """(created_at, crop, label, verdict), newest first."""


def waiting(session: Session, officer: Officer, page: int) -> tuple[list[Row[Any]], bool]:
    """One page of the officer's open cases, the longest waiting first; is there another page?"""
    asked = _latest(Event.at, Event.case_id, Event.kind == "photo_asked")
    came = _latest(Photo.received_at, Photo.case_id)
    query = (
        _listed(asked.label("asked_at"), came.label("came_at"))
        .where(Escalation.officer_id == officer.id, Escalation.closed_at.is_(None))
        .order_by(Escalation.opened_at, Escalation.id)
    )
    return _page(session, query, page)


def answered(session: Session, officer: Officer, page: int) -> tuple[list[Row[Any]], bool]:
    """One page of the cases that the officer answered, the newest first."""
    query = (
        _listed(Escalation.closed_at)
        .where(Escalation.officer_id == officer.id, Escalation.outcome == "answered")
        .order_by(Escalation.closed_at.desc(), Escalation.id.desc())
    )
    return _page(session, query, page)


def case_by_code(session: Session, code: str) -> tuple[Case | None, list[Escalation]]:
    case = by_code(session, code)
    return case, [] if case is None else escalations(session, case)


def escalations(session: Session, case: Case) -> list[Escalation]:
    query = select(Escalation).where(Escalation.case_id == case.id).order_by(Escalation.id)
    return list(session.scalars(query))


def photos(session: Session, case: Case) -> list[PhotoFacts]:
    """The photos of the case, newest first."""
    rows = session.execute(
        select(Photo.id, Photo.received_at, Diagnosis.verdict, Diagnosis.detail)
        .outerjoin(Diagnosis, Diagnosis.photo_id == Photo.id)
        .where(Photo.case_id == case.id)
        .order_by(Photo.id.desc())
    ).all()
    return [_photo(*row) for row in rows]


def history(session: Session, case: Case) -> list[Event]:
    """What happened to the case, the newest first."""
    query = (
        select(Event)
        .where(Event.case_id == case.id, Event.kind.in_(KINDS))
        .order_by(Event.id.desc())
        .limit(HISTORY)
    )
    return list(session.scalars(query))


def neighbours(session: Session, case: Case, moment: datetime) -> Neighbours | None:
    """None when the case has no area to have neighbours in."""
    if case.area is None:
        return None
    near = (
        Case.area == case.area,
        Case.created_at > moment - NEIGHBOURHOOD,
        Case.farmer_id != case.farmer_id,
    )
    count = func.count()
    counts = session.execute(
        select(Case.label, count).where(*near).group_by(Case.label).order_by(count.desc())
    ).all()
    recent = session.execute(
        select(Case.created_at, Case.crop, Case.label, Case.verdict)
        .where(*near)
        .order_by(Case.created_at.desc())
        .limit(NEIGHBOURS)
    ).all()
    return Neighbours([(label, number) for label, number in counts], recent)


def _listed(*extra: Any) -> Any:
    return select(
        Case.code, Case.crop, Case.label, Case.verdict, Case.confidence, Case.place, Case.area,
        Escalation.opened_at, Escalation.accepted_at, Escalation.reason, *extra,
    ).join(Escalation, Escalation.case_id == Case.id)  # fmt: skip


def _latest(column: Any, case_id: Any, *where: Any) -> Any:
    query = select(func.max(column)).where(case_id == Case.id, *where)
    return query.correlate(Case).scalar_subquery()


def _page(session: Session, query: Any, page: int) -> tuple[list[Row[Any]], bool]:
    rows: Sequence[Row[Any]] = session.execute(
        query.limit(PAGE + 1).offset(PAGE * (page - 1))
    ).all()
    return list(rows[:PAGE]), len(rows) > PAGE


def _photo(
    photo_id: int, received_at: datetime, verdict: str | None, detail: dict[str, Any] | None
) -> PhotoFacts:
    detail = detail or {}
    labels = dict(zip(labels_of(detail), detail.get("probabilities", ()), strict=False))
    ranked = sorted(labels.items(), key=lambda pair: -pair[1])[:3]
    nearest = detail.get("nearest")
    return PhotoFacts(
        photo_id, received_at, verdict, tuple(ranked),
        tuple(detail.get("quality", ())), detail.get("unknown_score"),
        nearest if nearest in BESIDE else None,
    )  # fmt: skip
