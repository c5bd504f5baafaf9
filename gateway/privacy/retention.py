"""Retention: what is known of a person goes after the set months; what it says of a field stays.

A case stays for the statistics, without farmer, place or words. Its photos go, unless she agreed
that they train the model. Messages keep their price, not their number or text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import ColumnElement, delete, exists, or_, select, text, update
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from gateway.people import farmers
from gateway.privacy import loose
from gateway.settings import Settings
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
    Profile,
    UssdSession,
)
from gateway.store.states import CaseState, MessageState

MONTH = timedelta(days=365.25 / 12)
BATCH = 200
ROWS = 1000
"""Messages and callbacks of one transaction."""
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
        (cases, addresses of photos that nothing names any more: to be removed after the commit).
    """
    nobody = farmers.nobody(session)
    trainer = farmers.nobody(session, training=True)
    cases = session.execute(
        select(Case.id, Case.state, Farmer.training_consent_at)
        .join(Farmer)
        .where(
            Case.updated_at < before,
            Case.forgotten_at.is_(None),
            Case.farmer_id.not_in([nobody.id, trainer.id]),
        )
        .order_by(Case.updated_at)
        .limit(BATCH)
        .with_for_update(of=Case, key_share=True, skip_locked=True)
    ).all()
    if not cases:
        return 0, set()
    open_ones = {number: state for number, state, _ in cases if state != CaseState.CLOSED}
    _end(session, open_ones)
    everyone = [number for number, _, _ in cases]
    kept = {number for number, _, agreed in cases if agreed is not None}
    gone = [number for number in everyone if number not in kept]
    addresses = set(session.scalars(select(Photo.address).where(Photo.case_id.in_(gone))))
    moment = now()
    for numbers, whose in ((gone, nobody.id), (sorted(kept), trainer.id)):
        values = {
            "farmer_id": whose,
            "place": None,
            "state": CaseState.CLOSED,
            "forgotten_at": moment,
            "updated_at": Case.updated_at,  # or the column would set it to now
        }
        if numbers:
            session.execute(update(Case).where(Case.id.in_(numbers)).values(values))
    answers = update(Escalation).where(Escalation.case_id.in_(everyone))
    session.execute(answers.values(answer=None))
    session.execute(update(Label).where(Label.case_id.in_(everyone)).values(words=None))
    return len(cases), loose.let_go(session, addresses)


def _end(session: Session, cases: Mapping[int, str]) -> None:
    """Nobody can be told an answer any more: the history says so, and no officer holds the case.

    Args:
        cases: id to state.
    """
    session.add_all(
        Event(
            kind="case",
            case_id=number,
            from_state=state,
            to_state=CaseState.CLOSED,
            actor="sweep",
            reason="forgotten",
        )
        for number, state in cases.items()
    )
    held = update(Escalation).where(Escalation.case_id.in_(cases), Escalation.closed_at.is_(None))
    session.execute(held.values(closed_at=now(), outcome="withdrawn"))


@dataclass(frozen=True)
class Before:
    """Instants before which each kind of data has been kept for long enough."""

    cases: datetime
    photos: datetime | None
    """None: a photo is kept as long as its case."""
    messages: datetime
    texts: datetime
    sessions: datetime
    reports: datetime
    audit: datetime

    @classmethod
    def of(cls, settings: Settings, moment: datetime) -> Self:
        def before(months: int) -> datetime:
            return moment - MONTH * months

        return cls(
            cases=before(settings.retention_months),
            photos=before(own) if (own := settings.retention_photos_months) else None,
            messages=before(settings.months("messages")),
            texts=before(settings.months("texts")),
            sessions=before(settings.months("sessions")),
            reports=before(settings.months("reports")),
            audit=before(settings.months("audit")),
        )


def forget_photos(session: Session, before: datetime) -> tuple[int, set[str]]:
    """Give up the bytes of old photos, unless she agreed that they train the model.

    Returns: (photos, addresses that nothing names any more: to be removed after the commit).
    """
    old = session.scalars(
        select(Photo)
        .join(Case)
        .join(Farmer)
        .where(
            Photo.received_at < before,
            Photo.gone_at.is_(None),
            Farmer.training_consent_at.is_(None),
        )
        .order_by(Photo.id)
        .limit(BATCH)
        .with_for_update(of=Photo, skip_locked=True)
    ).all()
    addresses = {photo.address for photo in old}
    for photo in old:
        photo.gone_at = now()
    session.flush()
    return len(old), loose.let_go(session, addresses)


def forget_audit(session: Session, before: datetime) -> int:
    """Delete what operators and officers did long ago; what happened to a case goes with it.

    Returns: how many, at most `ROWS`.
    """
    old = select(Event.id).where(
        Event.at < before, Event.case_id.is_(None), Event.farmer_id.is_(None)
    )
    gone = delete(Event).where(Event.id.in_(old.limit(ROWS).scalar_subquery()))
    return len(session.execute(gone.returning(Event.id)).all())


def forget_messages(session: Session, before: Before) -> int:
    """Blank numbers and texts of old messages.

    Returns: how many, at most `ROWS`.
    """
    old = or_(
        (Message.direction == "out") & (Message.created_at < before.messages),
        (Message.direction == "in") & (Message.created_at < before.texts),
    )
    whose = sql_case((Message.farmer_id.is_not(None), farmers.NOBODY), else_=None)
    blank = {"address": "", "address_digest": "", "text": None, "farmer_id": whose}
    farmers.nobody(session)
    some = (
        select(Message.id)
        .where(
            old,
            Message.state.in_(ENDED),
            text("message.address_digest <> ''"),  # as it stands in the index
        )
        .order_by(Message.created_at)
        .limit(ROWS)
    )
    done = update(Message).where(Message.id.in_(some.scalar_subquery())).values(blank)
    return len(session.execute(done.returning(Message.id)).all())


def forget_callbacks(session: Session, before: Before) -> int:
    """Delete what else names a number; returns how many rows at most of one kind, up to `ROWS`."""
    most = 0
    for table, at, instant in (
        (DeliveryReport, DeliveryReport.received_at, before.reports),
        (UssdSession, UssdSession.ended_at, before.sessions),
        (MediaMessage, MediaMessage.received_at, before.texts),
    ):
        old = select(table.id).where(at < instant).order_by(at).limit(ROWS).scalar_subquery()
        gone = session.execute(delete(table).where(table.id.in_(old)).returning(table.id))
        most = max(most, len(gone.all()))
    return most


def forget_farmers(session: Session, before: datetime) -> int:
    """Delete farmers of whom nothing is left. Who opted out is remembered, to respect it.

    They are held first and looked at again: a statement sees the store as it was when it began,
    and a case that was committed since would go with its farmer.

    Returns: how many, at most `BATCH`.
    """
    cases = exists().where(Case.farmer_id == Profile.farmer_id)
    unused = (
        Profile.created_at < before,
        Profile.consent_at.is_(None) | (Profile.consent_at < before),
    )
    session.execute(delete(Profile).where(*unused, ~cases))
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
