"""A case in the store: opened, found by its code, held while something is done with it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.cases import codes, life
from gateway.store.models import Case, Farmer


def open_case(
    session: Session,
    farmer: Farmer,
    *,
    source: str,
    crop: str | None = None,
    language: str | None = None,
    place: str | None = None,
    area: str | None = None,
    kiosk_id: int | None = None,
    answers: dict[str, str] | None = None,
) -> Case:
    """Make a case in state `received`, with a code that nobody else has."""
    case = Case(
        code=_free_code(session),
        farmer=farmer,
        kiosk_id=kiosk_id,
        source=source,
        crop=crop,
        language=language or farmer.language or "en",
        place=place or farmer.place,
        area=area or farmer.area,
        state=life.RECEIVED,
        answers=answers,
    )
    session.add(case)
    session.flush()
    life.born(session, case, actor=f"kiosk:{kiosk_id}" if kiosk_id else "farmer")
    return case


def by_code(session: Session, code: str) -> Case | None:
    """The case with this code, as `codes.parse` writes it, whoever's it is."""
    return session.scalar(select(Case).where(Case.code == code))


def hold(session: Session, case_id: int, *, wait: bool = True) -> Case | None:
    """Hold a case until the transaction ends, and see it as it is by then. Whoever gives a case
    away, answers it, judges it or withdraws it does this first.

    Args:
        wait: for whoever holds it now.

    Returns:
        None when it is gone, or is not waited for and held by another.
    """
    held = session.info.setdefault("held_cases", set())  # a session is one transaction
    if case_id in held:
        return session.get(Case, case_id)
    # Key share: what only refers to the case, as a message does, need not wait meanwhile.
    # By its id alone: what is joined to a row that was waited for may be older than the row.
    query = select(Case.id).where(Case.id == case_id)
    if session.scalar(query.with_for_update(key_share=True, skip_locked=not wait)) is None:
        return None
    case = session.get_one(Case, case_id)
    session.refresh(case)
    held.add(case_id)
    return case


def _free_code(session: Session) -> str:
    """A code that is not taken. The unique column has the last word on a race, which at 148
    million codes is left to the caller's retry."""
    while by_code(session, code := codes.new()) is not None:
        pass
    return code
