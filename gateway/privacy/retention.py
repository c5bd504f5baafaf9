"""Retention: what is known of a person goes after the set months; what it says of a field stays.

A case stays for the statistics, without farmer, place or words. Its photos go, unless she agreed
that they train the model. Messages keep their price, not their number or text.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from gateway.people import farmers
from gateway.privacy import erasure
from gateway.store.base import now
from gateway.store.models import (
    Case,
    DeliveryReport,
    Escalation,
    Event,
    Farmer,
    Label,
    MediaMessage,
    Message,
    Photo,
    UssdSession,
)
from gateway.store.states import CaseState, MessageState

MONTH = timedelta(days=365.25 / 12)
BATCH = 200
ENDED = (
    MessageState.SENT,
    MessageState.DELIVERED,
    MessageState.FAILED,
    MessageState.CANCELLED,
    MessageState.RECEIVED,
)


def forget_cases(session: Session, before: datetime) -> tuple[int, set[str]]:
    """Take the person out of cases that last moved before an instant; open ones end with it.

    Returns:
        (cases, addresses of photos that nothing names any more: to be deleted after the commit).
    """
    nobody = farmers.nobody(session)
    trainer = farmers.nobody(session, training=True)
    cases = session.scalars(
        select(Case)
        .where(Case.updated_at < before, Case.farmer_id.not_in([nobody.id, trainer.id]))
        .order_by(Case.id)
        .limit(BATCH)
        .with_for_update(of=Case, key_share=True, skip_locked=True)
    ).all()
    to_delete: set[str] = set()
    for case in cases:
        keeps = case.farmer.training_consent_at is not None
        if not keeps:
            query = select(Photo.address).where(Photo.case_id == case.id)
            to_delete |= set(session.scalars(query))
        values = {
            "farmer_id": trainer.id if keeps else nobody.id,
            "place": None,
            "state": CaseState.CLOSED,
            "updated_at": case.updated_at,  # or the column would set it to now
        }
        if case.state != CaseState.CLOSED:
            _end(session, case)
        session.execute(update(Case).where(Case.id == case.id).values(values))
        answers = update(Escalation).where(Escalation.case_id == case.id)
        session.execute(answers.values(answer=None))
        session.execute(update(Label).where(Label.case_id == case.id).values(words=None))
    return len(cases), to_delete - erasure.named(session, to_delete)


def _end(session: Session, case: Case) -> None:
    """Nobody can be told an answer any more: the history says so, and no officer holds the case."""
    session.add(
        Event(
            kind="case",
            case_id=case.id,
            from_state=case.state,
            to_state=CaseState.CLOSED,
            actor="sweep",
            reason="forgotten",
        )
    )
    held = update(Escalation).where(Escalation.case_id == case.id, Escalation.closed_at.is_(None))
    session.execute(held.values(closed_at=now(), outcome="withdrawn"))


def forget_messages(session: Session, before: datetime) -> int:
    """Blank numbers and texts of old messages, delete what else names a number.

    Returns: how many messages were blanked.
    """
    whose = sql_case((Message.farmer_id.is_not(None), farmers.NOBODY), else_=None)
    blank = {"address": "", "address_digest": "", "text": None, "farmer_id": whose}
    farmers.nobody(session)
    done = session.execute(
        update(Message)
        .where(Message.created_at < before, Message.state.in_(ENDED), Message.address_digest != "")
        .values(blank)
        .returning(Message.id)
    )
    count = len(done.all())
    for statement in (
        delete(DeliveryReport).where(DeliveryReport.received_at < before),
        delete(UssdSession).where(UssdSession.ended_at < before),
        delete(MediaMessage).where(MediaMessage.received_at < before),
    ):
        session.execute(statement)
    return count


def forget_farmers(session: Session, before: datetime) -> int:
    """Delete farmers of whom nothing is left. Who opted out is remembered, to respect it.

    They are held first and looked at again: a statement sees the store as it was when it began,
    and a case that was committed since would go with its farmer.

    Returns: how many, at most `BATCH`.
    """
    ids = farmers_to_forget(session, before)
    left = delete(Farmer).where(Farmer.id.in_(ids), *_nothing_left(before))
    return len(session.execute(left.returning(Farmer.id)).all())


def farmers_to_forget(session: Session, before: datetime) -> list[str]:
    """Ids of farmers of whom nothing seems left, each held; who is at work right now is not."""
    query = select(Farmer.id).where(*_nothing_left(before)).order_by(Farmer.id).limit(BATCH)
    return list(session.scalars(query.with_for_update(of=Farmer, skip_locked=True)))


def _nothing_left(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Farmer.created_at < before,
        Farmer.consent_at.is_(None) | (Farmer.consent_at < before),
        Farmer.opted_out_at.is_(None),
        Farmer.id.not_in([farmers.NOBODY, farmers.NOBODY_WHO_TRAINS]),
        ~exists().where(Case.farmer_id == Farmer.id),
        ~exists().where(Message.farmer_id == Farmer.id),
        ~exists().where(Event.farmer_id == Farmer.id, Event.at >= before),
    )
