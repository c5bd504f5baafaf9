"""What the officer's pages show, fetched in a fixed number of questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session

from gateway.cases import heard
from gateway.cases.case import by_code
from gateway.pages.officer import ages
from gateway.store.models import Case, Diagnosis, Escalation, Event, Farmer, Officer, Photo
from gateway.teaching import labels
from inference.verdict import labels_of

PAGE = 20
KINDS = (
    "case", "label", "photo_asked", "number_shown", "promised", "went_on", "product_named",
    "number_changed", heard.WROTE,
)  # fmt: skip
"""Kinds of event that an officer's history tells."""
HISTORY = 30
"""Lines of history shown, the newest."""
SEARCHED = 2000
"""Of an officer's cases the newest, whose numbers are searched by their last digits."""
NO_CROP = "unknown"
"""Stands in an address for a crop that nobody told."""
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
    width: int
    height: int
    """So that a page keeps the place before the picture is there."""


@dataclass(frozen=True)
class Sieve:
    """Which of their cases an officer wants to see; what is empty lets every case through."""

    crop: str = ""
    area: str = ""
    label: str = ""
    """The machine's word: a label, or `none`."""
    late: bool = False
    code: str = ""
    digits: str = ""
    """How the farmer's number ends."""

    @property
    def any(self) -> bool:
        return self != Sieve()


@dataclass(frozen=True)
class Heap:
    """What waits for an officer, and what there is to choose from."""

    waiting: int
    late: int
    crops: list[str]
    areas: list[str]
    labels: list[str]


def heap(session: Session, officer: Officer, moment: datetime) -> Heap:
    """In one query, whose rows are as many as kinds of case that wait."""
    late = func.count().filter(Escalation.opened_at < moment - ages.DEADLINE)
    kind = (Case.crop, Case.area, Case.verdict, Case.label)
    rows = session.execute(
        select(*kind, func.count(), late)
        .join(Escalation, Escalation.case_id == Case.id)
        .where(*_open(officer))
        .group_by(*kind)
    ).all()
    words = {labels.machine_word(verdict, label) for _, _, verdict, label, _, _ in rows}
    return Heap(
        waiting=sum(row[-2] for row in rows),
        late=sum(row[-1] for row in rows),
        crops=sorted({row.crop or NO_CROP for row in rows}),
        areas=sorted({row.area for row in rows if row.area}),
        labels=[label for label in labels.CHOICES if label in words],
    )


def waiting(
    session: Session, officer: Officer, page: int, sieve: Sieve, moment: datetime
) -> tuple[list[Row[Any]], bool]:
    """One page of the officer's open cases, the longest waiting first; is there another page?"""
    query = (
        _listed(_asked_at().label("asked_at"), _came_at().label("came_at"))
        .where(*_open(officer), *_wanted(session, officer, sieve, moment))
        .order_by(Escalation.opened_at, Escalation.id)
    )
    return _page(session, query, page)


def answered(
    session: Session, officer: Officer, page: int, sieve: Sieve, moment: datetime
) -> tuple[list[Row[Any]], bool]:
    """One page of the cases that the officer answered, the newest first."""
    query = (
        _listed(Escalation.closed_at, Escalation.answer)
        .where(Escalation.officer_id == officer.id, Escalation.outcome == "answered")
        .where(*_wanted(session, officer, sieve, moment))
        .order_by(Escalation.closed_at.desc(), Escalation.id.desc())
    )
    return _page(session, query, page)


def following(session: Session, officer: Officer, code: str | None) -> str | None:
    """The code of the case to take up next: the longest waiting after this one, else the longest
    waiting of all; one whose farmer was asked for a photo waits for her, not for the officer."""
    asked, came = _asked_at(), _came_at()
    query = (
        select(Case.code)
        .join(Escalation, Escalation.case_id == Case.id)
        .where(*_open(officer), or_(asked.is_(None), came > asked))
        .order_by(Escalation.opened_at, Escalation.id)
        .limit(1)
    )
    here = session.execute(
        select(Escalation.opened_at, Escalation.id)
        .join(Case, Case.id == Escalation.case_id)
        .where(Case.code == (code or ""), Escalation.officer_id == officer.id)
        .order_by(Escalation.id.desc())
        .limit(1)
    ).first()
    if here is not None:
        at, last = here
        after = or_(
            Escalation.opened_at > at, and_(Escalation.opened_at == at, Escalation.id > last)
        )
        if (found := session.scalar(query.where(after))) is not None:
            return found
    return session.scalar(query.where(Case.code != (code or "")))


def chosen(session: Session, officer: Officer, codes: Sequence[str]) -> list[Row[Any]]:
    """Those of the cases that wait for the officer, as in the list."""
    query = _listed().where(*_open(officer), Case.code.in_(codes))
    return list(session.execute(query.order_by(Escalation.opened_at, Escalation.id)))


def case_by_code(session: Session, code: str) -> tuple[Case | None, list[Escalation]]:
    case = by_code(session, code)
    return case, [] if case is None else escalations(session, case)


def escalations(session: Session, case: Case) -> list[Escalation]:
    query = select(Escalation).where(Escalation.case_id == case.id).order_by(Escalation.id)
    return list(session.scalars(query))


def photos(session: Session, case: Case) -> list[PhotoFacts]:
    """The photos of the case, newest first."""
    rows = session.execute(
        select(
            Photo.id,
            Photo.received_at,
            Diagnosis.verdict,
            Diagnosis.detail,
            Photo.width,
            Photo.height,
        )
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


def neighbours(
    session: Session, case: Case, moment: datetime
) -> list[tuple[str | None, int]] | None:
    """How many cases of the same area had which label in the last 30 days, nobody named; None
    when the case has no area to have neighbours in."""
    if case.area is None:
        return None
    count = func.count()
    counts = session.execute(
        select(Case.label, count)
        .where(
            Case.area == case.area,
            Case.created_at > moment - NEIGHBOURHOOD,
            Case.farmer_id != case.farmer_id,
        )
        .group_by(Case.label)
        .order_by(count.desc())
    ).all()
    return [(label, number) for label, number in counts]


def _open(officer: Officer) -> tuple[ColumnElement[bool], ...]:
    return Escalation.officer_id == officer.id, Escalation.closed_at.is_(None)


def _wanted(
    session: Session, officer: Officer, sieve: Sieve, moment: datetime
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if sieve.crop:
        found.append(Case.crop.is_(None) if sieve.crop == NO_CROP else Case.crop == sieve.crop)
    if sieve.area:
        found.append(Case.area == sieve.area)
    if sieve.label == labels.NONE:
        found.append(Case.verdict.in_(labels.NAMELESS))
    elif sieve.label:
        found += [Case.label == sieve.label, Case.verdict.in_(labels.NAMING)]
    if sieve.late:
        found.append(Escalation.opened_at < moment - ages.DEADLINE)
    if sieve.code:
        found.append(Case.code == sieve.code)
    if sieve.digits:
        found.append(Escalation.id.in_(_ending(session, officer, sieve.digits)))
    return found


def _ending(session: Session, officer: Officer, digits: str) -> list[int]:
    """Numbers are sealed, so that they are opened here rather than searched by the store."""
    rows = session.execute(
        select(Escalation.id, Farmer.phone)
        .join(Case, Case.id == Escalation.case_id)
        .join(Farmer, Farmer.id == Case.farmer_id)
        .where(Escalation.officer_id == officer.id)
        .order_by(Escalation.id.desc())
        .limit(SEARCHED)
    )
    return [row for row, phone in rows if phone.endswith(digits)]


def _listed(*extra: Any) -> Any:
    photo = (
        select(func.max(Photo.id))
        .where(Photo.case_id == Case.id, Photo.gone_at.is_(None))
        .correlate(Case)
        .scalar_subquery()
    )
    return select(
        Case.code, Case.crop, Case.label, Case.verdict, Case.confidence, Case.place, Case.area,
        Escalation.opened_at, Escalation.accepted_at, photo.label("photo"), *extra,
    ).join(Escalation, Escalation.case_id == Case.id)  # fmt: skip


def _asked_at() -> Any:
    return _latest(Event.at, Event.case_id, Event.kind == "photo_asked")


def _came_at() -> Any:
    return _latest(Photo.received_at, Photo.case_id)


def _latest(column: Any, case_id: Any, *where: Any) -> Any:
    query = select(func.max(column)).where(case_id == Case.id, *where)
    return query.correlate(Case).scalar_subquery()


def _page(session: Session, query: Any, page: int) -> tuple[list[Row[Any]], bool]:
    rows: Sequence[Row[Any]] = session.execute(
        query.limit(PAGE + 1).offset(PAGE * (page - 1))
    ).all()
    return list(rows[:PAGE]), len(rows) > PAGE


def _photo(
    photo_id: int,
    received_at: datetime,
    verdict: str | None,
    detail: dict[str, Any] | None,
    width: int,
    height: int,
) -> PhotoFacts:
    detail = detail or {}
    labels = dict(zip(labels_of(detail), detail.get("probabilities", ()), strict=False))
    ranked = sorted(labels.items(), key=lambda pair: -pair[1])[:3]
    return PhotoFacts(
        photo_id, received_at, verdict, tuple(ranked),
        tuple(detail.get("quality", ())), detail.get("unknown_score"),
        width, height,
    )  # fmt: skip
