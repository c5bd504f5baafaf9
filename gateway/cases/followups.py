"""Follow-ups: what a farmer hears later, unasked or because she wanted to be asked. Each once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, String, cast, exists, literal, select
from sqlalchemy.orm import Session

from gateway.cases import life
from gateway.cases.desk import Desk
from gateway.outbox.kinds import Kind
from gateway.store.models import Case, Event, Farmer, Message

REMIND_PHOTO, ASK_OUTCOME = "remind_photo", "ask_outcome"
PHOTO_AFTER = timedelta(days=2)
OUTCOME_AFTER = timedelta(days=14)
GIVEN_UP_AFTER = timedelta(days=7)
"""Later than this a follow-up only puzzles; a scheduler that was down so long says nothing."""

BATCH = 500
"""Followed up in one round; the rest in the next."""


def ask_later(session: Session, farmer: Farmer, case: Case) -> None:
    """The farmer wants to be asked in two weeks whether her case got better."""
    if case.farmer_id == farmer.id and not (case.answers or {}).get("ask_later"):
        case.answers = {**(case.answers or {}), "ask_later": "yes"}
        session.add(Event(kind="ask_later", case_id=case.id, actor="farmer"))


def photo_reminders(session: Session, moment: datetime) -> list[int]:
    """Some cases whose farmer is to be reminded, once, of a second photo that has not come within
    two days."""
    query = _resting(REMIND_PHOTO, (life.PHOTO_REQUESTED,), moment - PHOTO_AFTER)
    return list(session.scalars(query))


def outcome_questions(session: Session, moment: datetime) -> list[int]:
    """Some cases whose farmer wanted to be asked, once, whether it got better, and has not told.

    Her answers are sealed, so they are opened here, a batch at a time, and nothing else is.
    """
    query = _resting(ASK_OUTCOME, (life.ANSWERED, life.CLOSED), moment - OUTCOME_AFTER)
    found: list[int] = []
    after = 0
    while len(found) < BATCH:
        rows = session.execute(query.add_columns(Case.answers).where(Case.id > after)).all()
        found += [number for number, answers in rows if _wants(answers or {})]
        if len(rows) < BATCH:
            break
        after = rows[-1][0]
    return found


def _wants(told: Mapping[str, Any]) -> bool:
    return bool(told.get("ask_later")) and not told.get("better")


def tell(session: Session, desk: Desk, template: str, case_id: int) -> bool:
    """Post one of the two; the message's key keeps it from being posted again."""
    case = session.get_one(Case, case_id)
    key = f"{template}:{case.id}"
    return desk.tell_farmer(session, case.farmer, template, key=key, case=case, kind=Kind.REMINDER)


def _resting(template: str, states: tuple[str, ...], since: datetime) -> Select[int]:
    """Ids of cases that last moved before `since`, not much longer ago, and were not told this yet;
    a batch of them."""
    told = exists().where(Message.key == literal(f"{template}:") + cast(Case.id, String))
    query = select(Case.id).where(
        Case.state.in_(states),
        Case.updated_at <= since,
        Case.updated_at > since - GIVEN_UP_AFTER,
        ~told,
    )
    return query.order_by(Case.id).limit(BATCH)
