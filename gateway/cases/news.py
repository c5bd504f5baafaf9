"""What a farmer has not read yet: the case that opens when she dials."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.cases import life
from gateway.store.base import now
from gateway.store.models import Case, Event, Farmer

READ = "read"
NEW_FOR = timedelta(days=14)
"""An answer that is older does not open by itself: it came by SMS, and the list has it."""
LISTED = 20


def to_open(session: Session, farmer: Farmer, tag: str) -> str:
    """Code of the case with the newest answer that she has not read, else of her only case; empty
    where there is neither.

    Args:
        tag: the session that asks; what it read itself still counts as new to it, so that going
            along its path once more finds the same screens.
    """
    query = select(Case.id, Case.code).where(Case.farmer_id == farmer.id)
    newest = session.execute(query.order_by(Case.id.desc()).limit(LISTED)).all()
    codes: dict[int, str] = {row.id: row.code for row in newest}
    if fresh := _unread(session, list(codes), tag):
        return codes[fresh[0]]
    return next(iter(codes.values()), "") if len(codes) == 1 else ""


def unread(session: Session, case: Case, tag: str = "") -> bool:
    return bool(_unread(session, [case.id], tag))


def read(session: Session, case: Case, tag: str) -> None:
    """She saw it in this session. Twice changes nothing."""
    if unread(session, case):
        event = Event(kind=READ, case_id=case.id, actor="farmer", data={"session": tag})
        session.add(event)


def _unread(session: Session, cases: list[int], tag: str) -> list[int]:
    """Ids of those with a new answer, the newest answer first."""
    answered = (Event.kind == "case") & (Event.to_state == life.ANSWERED)
    query = (
        select(Event.case_id, Event.kind, Event.data)
        .join(Case, Case.id == Event.case_id)
        .where(
            Event.case_id.in_(cases),
            Case.state.in_([life.ANSWERED, life.CLOSED]),
            or_(answered, Event.kind.in_([READ, "went_on"])),
            Event.at > now() - NEW_FOR,
        )
        .order_by(Event.id)
    )
    fresh: dict[int, None] = {}
    for case_id, kind, data in session.execute(query):
        assert case_id is not None
        if kind != READ:
            fresh.pop(case_id, None)
            fresh[case_id] = None
        elif not tag or (data or {}).get("session") != tag:
            fresh.pop(case_id, None)
    return list(reversed(fresh))
