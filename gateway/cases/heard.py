"""What a farmer writes of a case in her own words: kept with it, and told to the officer who has
it, gathered, at most once an hour."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.cases import escalation
from gateway.cases.desk import Desk
from gateway.store.base import now
from gateway.store.models import Case, Event, Farmer, Message, Officer
from gateway.store.states import MessageState

WROTE = "farmer_wrote"
TOLD = "officer_farmer_wrote"
EVERY = timedelta(hours=1)
"""An officer is told of one case's words at most this often."""
SHOWN = 20
"""Messages that an officer's page shows, the newest."""


def in_persons_hands(session: Session, farmer: Farmer) -> Case | None:
    """Her newest case that an officer, or the operator for want of one, has."""
    ids = escalation.cases_in_hand(session, farmer)
    return session.get(Case, max(ids)) if ids else None


def attach(session: Session, desk: Desk, case: Case, message: Message) -> bool:
    """Keep a farmer's message with her case and pass it on.

    Returns: whether an officer has the case.
    """
    held = escalation.open_one(session, case)
    if message.case_id is None:
        message.case_id = case.id
        session.add(Event(kind=WROTE, case_id=case.id, actor="farmer"))
        session.flush()
    if held is None or held.officer is None:
        return False
    _pass_on(session, desk, case, held.officer, message)
    return True


def words_of(session: Session, case: Case) -> list[Message]:
    """What the farmer wrote of a case, the newest first."""
    query = (
        select(Message)
        .where(Message.case_id == case.id, Message.direction == "in")
        .order_by(Message.id.desc())
        .limit(SHOWN)
    )
    return list(session.scalars(query))


def _pass_on(session: Session, desk: Desk, case: Case, officer: Officer, message: Message) -> None:
    last = session.scalar(
        select(Message)
        .where(
            Message.case_id == case.id,
            Message.template == TOLD,
            Message.officer_id == officer.id,
            # One that left at once bears no time to leave at.
            or_(Message.created_at > now() - EVERY, Message.not_before > now() - EVERY),
        )
        .order_by(Message.id.desc())
        .limit(1)
        .with_for_update()
    )
    since = None
    if last is not None and last.state == MessageState.QUEUED and last.not_before > now():
        # It waits: what it will say is all that was written since the one before it.
        last.text = _text(desk, case, officer, _gathered(session, case, last))
        return
    if last is not None:
        since = max(last.not_before, last.created_at) + EVERY
    desk.tell_officer(
        session,
        officer,
        TOLD,
        key=f"wrote:{message.id}:{officer.id}",
        case=case,
        not_before=since,
        phone=case.farmer.phone,
        heard=_words(message),
    )


def _gathered(session: Session, case: Case, waiting: Message) -> str:
    first = int(waiting.key.split(":")[1])
    query = select(Message).where(
        Message.case_id == case.id, Message.direction == "in", Message.id >= first
    )
    return " / ".join(_words(one) for one in session.scalars(query.order_by(Message.id)))


def _text(desk: Desk, case: Case, officer: Officer, words: str) -> str:
    values = {"case": case.code, "phone": case.farmer.phone, "heard": words}
    return desk.texts.render(TOLD, officer.language, **values)


def _words(message: Message) -> str:
    return " ".join((message.text or "").split())
