"""What a case had to say and no phone took: refused, failed, unreadable. A person takes it over.

Only the last word of a case to its farmer counts. Something said since, on its way or delivered,
or a person who has the case, makes an earlier failure of no account.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from gateway.cases import escalation, life
from gateway.cases.case import hold
from gateway.cases.desk import Desk
from gateway.outbox.kinds import Kind
from gateway.outbox.reasons import RESTORED
from gateway.outbox.resend import RESENT
from gateway.store.models import Case, Escalation, Message, Photo
from gateway.store.states import MessageState
from gateway.watch import incidents

REASON = "undelivered"
CAUSE = "answers:undelivered"
BESIDE = tuple(kind.value for kind in (Kind.REPLY, Kind.NOTICE, Kind.REMINDER))
"""Not the word of the case itself: asked for again, or sent on top of it."""
ABSENT_FOR = timedelta(days=1)
"""A phone that was off may still get the message."""
LATELY = timedelta(days=7)
"""Older failures are left as they are."""
WATCHED = timedelta(days=2)
"""A day, and the one that an absent phone has."""


def due(session: Session, moment: datetime, limit: int) -> list[int]:
    """Ids of cases whose farmer does not know what she should, and that nobody has in hand."""
    query = _unheard(moment).where(
        Case.state.not_in([life.CLOSED, *life.IN_HAND]),
        Message.final_at > moment - LATELY,
        ~exists().where(Escalation.case_id == Case.id, Escalation.closed_at.is_(None)),
        ~exists().where(Photo.case_id == Case.id, Photo.diagnosed_at.is_(None)),
    )
    return list(session.scalars(query.order_by(Case.id).limit(limit)))


def hand_over(session: Session, desk: Desk, case_id: int) -> bool:
    """Give the case to an officer, who has number and place. The farmer is told nothing: that is
    what does not work. False when the case is gone."""
    case = hold(session, case_id)
    if case is None:
        return False
    escalation.escalate(session, desk, case, REASON, actor="sweep", tell_farmer=False)
    return True


def watch(session: Session, moment: datetime) -> None:
    """An incident while answers of officers reached no phone: their cases are closed, so that no
    officer sees to it."""
    query = _unheard(moment).where(Case.state == life.CLOSED, Message.final_at > moment - WATCHED)
    lost = session.scalar(select(func.count()).select_from(query.subquery()))
    incidents.mark(session, CAUSE, f"{lost} answers of officers reached no phone" if lost else "")


def _unheard(moment: datetime) -> Select[int]:
    """Cases whose last word to the farmer failed for good."""
    later = aliased(Message)
    return (
        select(Case.id)
        .join(Message, Message.case_id == Case.id)
        .where(
            Message.direction == "out",
            Message.state == MessageState.FAILED,
            Message.farmer_id.is_not(None),
            Message.kind.not_in(BESIDE),
            or_(Message.outcome.is_(None), Message.outcome.not_in([RESENT, RESTORED])),
            or_(Message.outcome != "absent", Message.final_at < moment - ABSENT_FOR),
            ~exists().where(
                later.case_id == Case.id,
                later.id > Message.id,
                later.direction == "out",
                later.farmer_id.is_not(None),
                later.kind.not_in(BESIDE),
            ),
        )
    )
