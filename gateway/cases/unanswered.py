"""Escalations that nobody answers: a reminder, then a colleague, in the end the operator.

Time is counted in the officer's own working hours. Every step changes the escalation in the
transaction that posts the messages, so that two schedulers take it once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Select, String, and_, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from gateway.cases import escalation, life, routing
from gateway.cases.case import hold
from gateway.cases.desk import Desk
from gateway.cases.undelivered import ABSENT_FOR
from gateway.outbox.resend import RESENT
from gateway.people import hours
from gateway.store.models import Case, Escalation, Message, Officer
from gateway.store.states import MessageState
from gateway.watch import incidents

MOST_OFFICERS = 2
"""So many officers get a case before the operator does."""
PATIENCE = timedelta(days=1)
"""How long the operator may look for an officer before it is an incident."""
CAUSE = "escalations:without_officer"

Step = Literal["wait", "remind", "pass_on", "find_officer", "withdraw"]


@dataclass(frozen=True)
class Limits:
    """Working time: after how much of it an officer is reminded, and a colleague gets the case."""

    remind: timedelta
    pass_on: timedelta


@dataclass(frozen=True)
class Held:
    """An open escalation as the rules see it. `waited` is the officer's working time."""

    with_officer: bool = True
    disabled: bool = False
    refused: bool = False
    """No phone took the message about the case, and none will."""
    accepted: bool = False
    reminded: bool = False
    waited: timedelta = timedelta(0)
    closed: bool = False
    """The case is."""


def next_step(held: Held, limits: Limits) -> Step:
    """An officer who took a case has twice the time: a farm is visited, not answered at a desk.
    Whether the message came no longer matters then."""
    if held.closed:
        return "withdraw"
    if not held.with_officer:
        return "wait" if held.accepted else "find_officer"
    if held.disabled or (held.refused and not held.accepted):
        return "pass_on"
    if held.waited >= limits.pass_on * (1 + held.accepted):
        return "pass_on"
    if held.waited >= limits.remind and not held.reminded:
        return "remind"
    return "wait"


def due(session: Session, limits: Limits, zone: ZoneInfo, moment: datetime) -> list[int]:
    """Ids of the open escalations for which something is to be done now, oldest first."""
    found = _open(session, select(Escalation).order_by(Escalation.id), moment)
    return [
        row.id
        for row, refused in found
        if next_step(_held(row, refused, zone, moment), limits) != "wait"
    ]


def take_step(
    session: Session,
    desk: Desk,
    escalation_id: int,
    limits: Limits,
    zone: ZoneInfo,
    moment: datetime,
) -> bool:
    """Do what is due for one escalation; False when nothing is any more, or somebody is at it.

    The case is held first, as by an officer who answers it.
    """
    case_id = session.scalar(select(Escalation.case_id).where(Escalation.id == escalation_id))
    if case_id is None or hold(session, case_id, wait=False) is None:
        return False
    query = select(Escalation).where(Escalation.id == escalation_id)
    locked = query.with_for_update(of=Escalation).execution_options(populate_existing=True)
    row, refused = next(_open(session, locked, moment), (None, False))
    if row is None:
        return False
    match next_step(_held(row, refused, zone, moment), limits):
        case "remind":
            _remind(session, desk, row, moment)
        case "pass_on":
            _pass_on(session, desk, row)
        case "find_officer":
            return _find_officer(session, desk, row)
        case "withdraw":
            escalation.withdraw(session, row)
        case _:
            return False
    return True


def watch(session: Session, moment: datetime) -> None:
    """An incident while cases wait for an officer longer than the operator may look for one."""
    late = session.scalar(
        select(func.count(Escalation.id)).where(
            Escalation.closed_at.is_(None),
            Escalation.officer_id.is_(None),
            Escalation.accepted_at.is_(None),
            Escalation.opened_at < moment - PATIENCE,
        )
    )
    waiting = f"{late} cases wait for an officer for more than a day"
    incidents.mark(session, CAUSE, waiting if late else "")


def _open(
    session: Session, query: Select[Escalation], moment: datetime
) -> Iterator[tuple[Escalation, bool]]:
    """Open escalations, each with whether the message about it was refused for good.

    An officer's phone that is off has the time that a farmer's has.
    """
    may_still_come = or_(
        Message.outcome == RESENT,
        and_(Message.outcome == "absent", Message.final_at >= moment - ABSENT_FOR),
    )
    refused = exists().where(
        Message.key == literal("escalation:") + cast(Escalation.id, String) + ":officer",
        Message.state == MessageState.FAILED,
        or_(Message.outcome.is_(None), ~may_still_come),
    )
    rows = session.execute(query.where(Escalation.closed_at.is_(None)).add_columns(refused))
    yield from ((row, bool(failed)) for row, failed in rows)


def _held(row: Escalation, refused: bool, zone: ZoneInfo, moment: datetime) -> Held:
    officer, closed = row.officer, row.case.state == life.CLOSED
    if officer is None:
        accepted = row.accepted_at is not None
        return Held(with_officer=False, accepted=accepted, closed=closed)
    since = row.accepted_at or row.opened_at
    return Held(
        disabled=officer.disabled_at is not None,
        refused=refused,
        accepted=row.accepted_at is not None,
        reminded=row.reminded_at is not None and row.reminded_at >= since,
        waited=hours.worked(officer.work_days, officer.work_hours, zone, since, moment),
        closed=closed,
    )


def _remind(session: Session, desk: Desk, row: Escalation, moment: datetime) -> None:
    assert row.officer is not None
    row.reminded_at = moment
    stage = "accepted" if row.accepted_at else "opened"
    desk.tell_officer(
        session,
        row.officer,
        "officer_reminder",
        key=f"escalation:{row.id}:reminder:{stage}",
        case=row.case,
        phone=row.case.farmer.phone,
        place=row.case.place or row.case.area or "?",
        answer=desk.how_to_answer(row.case),
    )


def _pass_on(session: Session, desk: Desk, row: Escalation) -> None:
    """To a colleague, or to the operator when there is none."""
    colleague = _colleague(session, desk, row.case)
    before = row.officer
    escalation.pass_on(session, desk, row.case, row, colleague, actor="sweep", reason="unanswered")
    if before is not None and before.disabled_at is None:
        desk.tell_officer(
            session,
            before,
            "officer_released",
            key=f"escalation:{row.id}:released",
            case=row.case,
        )


def _find_officer(session: Session, desk: Desk, row: Escalation) -> bool:
    """The operator has the case because nobody was on duty; somebody may be now. After as many
    officers as get one the operator keeps it."""
    officer = _colleague(session, desk, row.case)
    if officer is None:
        return False
    case = row.case
    new = escalation.pass_on(session, desk, case, row, officer, actor="sweep", reason=row.reason)
    key = f"escalation:{new.id}:farmer"
    desk.tell_farmer(session, case.farmer, "escalation_farmer", key=key, case=case)
    return True


def _colleague(session: Session, desk: Desk, case: Case) -> Officer | None:
    if len(routing.had_by(session, case)) >= MOST_OFFICERS:
        return None
    return routing.colleague(session, case, desk.zone)
