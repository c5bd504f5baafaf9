"""Escalations that nobody answers: a reminder, then a colleague, in the end the operator.

Time is counted in the officer's own working hours. Every step changes the escalation in the
transaction that posts the messages, so that two schedulers take it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
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
PROMISED_FOR = timedelta(days=14)
"""So long after taking the case an officer may put off a call or a visit."""
CAUSE = "escalations:without_officer"
BATCH = 1000
"""Open escalations that one statement looks at."""
ROUND = 500
"""So many are acted on in a round; the next is not far."""

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
    promised: bool = False
    """The farmer was told that they call or come; `waited` counts from the end of that day."""
    due: bool = False
    """That day is over."""
    closed: bool = False
    """The case is."""


def next_step(held: Held, limits: Limits) -> Step:
    """An officer who took a case has twice the time: a farm is visited, not answered at a desk.
    Whether the message came no longer matters then. Who promised to come is left alone until the
    day, asked then what came of it, and has the time of any officer after it."""
    if held.closed:
        return "withdraw"
    if held.promised and not (held.with_officer and held.disabled):
        if not held.due:
            return "wait"
        if not held.reminded:
            return "remind"
        late = held.with_officer and held.waited >= limits.pass_on
        return "pass_on" if late else "wait"
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
    """Ids of some open escalations for which something is to be done now, oldest first.

    At most about `ROUND`, and a fixed number of statements for every `BATCH` that may be due.
    """
    team: routing.Team | None = None
    found: list[int] = []
    after = 0
    while len(found) < ROUND:
        rows = session.execute(_perhaps_due(limits, moment, after)).all()
        steps = {row.id: next_step(_seen(row, zone, moment), limits) for row in rows}
        lost = [row for row in rows if steps[row.id] == "find_officer"]
        if lost:
            team = team or routing.Team(session)
            had = routing.had_by_many(session, {row.case_id for row in lost})
            for row in lost:
                mine = had[row.case_id]
                if len(mine) >= MOST_OFFICERS or not team.has(row.area, mine):
                    steps[row.id] = "wait"
        found += [number for number, step in steps.items() if step != "wait"]
        if len(rows) < BATCH:
            break
        after = rows[-1].id
    return found


def _perhaps_due(limits: Limits, moment: datetime, after: int) -> Select[*tuple[Any, ...]]:
    """What the rules need of the next open escalations; those that only wait are left out as far
    as the clock on the wall can tell: nobody works longer than time goes by."""
    since = func.coalesce(Escalation.due_at, Escalation.accepted_at, Escalation.opened_at)
    refused = _refused(moment)
    reminded = Escalation.reminded_at >= since
    return (
        select(
            Escalation.id,
            Escalation.case_id,
            Escalation.officer_id,
            Escalation.opened_at,
            Escalation.accepted_at,
            Escalation.reminded_at,
            Escalation.due_at,
            Case.area,
            Case.state,
            Officer.disabled_at,
            Officer.work_days,
            Officer.work_hours,
            refused.label("refused"),
        )
        .join(Case, Case.id == Escalation.case_id)
        .outerjoin(Officer, Officer.id == Escalation.officer_id)
        .where(
            Escalation.closed_at.is_(None),
            Escalation.id > after,
            or_(
                Case.state == life.CLOSED,
                and_(Escalation.officer_id.is_(None), Escalation.accepted_at.is_(None)),
                Officer.disabled_at.is_not(None),
                since <= moment - limits.pass_on,
                and_(since <= moment - limits.remind, or_(reminded.is_(None), ~reminded)),
                Escalation.due_at.is_not(None)
                & or_(
                    Escalation.accepted_at <= moment - PROMISED_FOR,
                    and_(Escalation.due_at <= moment, or_(reminded.is_(None), ~reminded)),
                ),
                refused,
            ),
        )
        .order_by(Escalation.id)
        .limit(BATCH)
    )


def _seen(row: Row[Any], zone: ZoneInfo, moment: datetime) -> Held:
    closed, accepted = row.state == life.CLOSED, row.accepted_at is not None
    promised = row.due_at is not None
    since = row.accepted_at or row.opened_at
    if promised:
        since = min(row.due_at, since + PROMISED_FOR)
    reminded = row.reminded_at is not None and row.reminded_at >= since
    due = promised and since <= moment
    if row.officer_id is None:
        return Held(
            with_officer=False,
            accepted=accepted,
            reminded=reminded,
            promised=promised,
            due=due,
            closed=closed,
        )
    return Held(
        disabled=row.disabled_at is not None,
        refused=bool(row.refused),
        accepted=accepted,
        reminded=reminded,
        waited=hours.worked(row.work_days, row.work_hours, zone, since, moment),
        promised=promised,
        due=due,
        closed=closed,
    )


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
    row = session.scalar(locked.where(Escalation.closed_at.is_(None)))
    seen = session.execute(_perhaps_due(limits, moment, escalation_id - 1).limit(1)).first()
    if row is None or seen is None or seen.id != escalation_id:
        return False
    match next_step(_seen(seen, zone, moment), limits):
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


def _refused(moment: datetime) -> ColumnElement[bool]:
    """Whether the message about an escalation was refused for good.

    An officer's phone that is off has the time that a farmer's has.
    """
    may_still_come = or_(
        Message.outcome == RESENT,
        and_(Message.outcome == "absent", Message.final_at >= moment - ABSENT_FOR),
    )
    return exists().where(
        Message.key == literal("escalation:") + cast(Escalation.id, String) + ":officer",
        Message.state == MessageState.FAILED,
        or_(Message.outcome.is_(None), ~may_still_come),
    )


def _remind(session: Session, desk: Desk, row: Escalation, moment: datetime) -> None:
    row.reminded_at = moment
    if row.due_at is not None:
        _ask_what_came_of_it(session, desk, row, row.due_at)
        return
    assert row.officer is not None
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


def _ask_what_came_of_it(session: Session, desk: Desk, row: Escalation, due: datetime) -> None:
    key = f"escalation:{row.id}:due:{due:%Y%m%d%H%M}"
    values = {
        "phone": row.case.farmer.phone,
        "day": escalation.written(due.astimezone(desk.zone).date()),
        "answer": desk.how_to_answer(row.case),
    }
    text = "officer_promise_due"
    if row.officer is None:
        desk.tell_operator(session, text, key=key, case=row.case, **values)
    else:
        desk.tell_officer(
            session, row.officer, text, key=key, case=row.case, not_before=None, **values
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
