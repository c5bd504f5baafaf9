"""Somebody guesses at a person's PIN or password: the history, an incident, a word to its owner."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.people import lockout, sign_ins
from gateway.people.sign_ins import Person
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Event, Officer
from gateway.watch import incidents

log = logging.getLogger(__name__)

CAUSE = "signin:guessing"
"""One for all people: the operator is told of a cause at most hourly, and pays for each SMS."""
EVENTS = {"officer": "pin_locked", "operator": "password_locked"}
LATELY = timedelta(hours=1)
NOTED_EVERY = timedelta(minutes=15)
"""Of one person: who guesses must not fill the history."""


def noticed(store: Store, person: Person, who: str) -> None:
    """After a wrong try: five are more than a slip of the finger. Written down now and then."""
    wrong = lockout.wrong_tries(store, who)
    if wrong < lockout.TRIES:
        return
    role = sign_ins.role_of(person)
    actor, kind = f"{role}:{person.id}", EVENTS[role]
    with store.transaction() as session:
        lately = select(Event.id).where(
            Event.actor == actor, Event.kind == kind, Event.at > now() - NOTED_EVERY
        )
        if session.scalar(lately.limit(1)) is not None:
            return
        session.add(Event(kind=kind, actor=actor, data={"wrong": wrong}))
        incidents.open_(session, CAUSE, "wrong PINs or passwords, again and again")
    log.warning("guessing role=%s person=%s wrong=%s", role, person.id, wrong)


def watch(session: Session, moment: datetime) -> None:
    """The incident ends when nobody guessed for an hour."""
    lately = select(Event.id).where(Event.kind.in_(EVENTS.values()), Event.at > moment - LATELY)
    if session.scalar(lately.limit(1)) is None:
        incidents.mark(session, CAUSE, "")


def to_warn(session: Session, moment: datetime) -> list[Officer]:
    """Officers whose PIN was guessed at within the last hour."""
    actors = session.scalars(
        select(Event.actor)
        .where(Event.kind == EVENTS["officer"], Event.at > moment - LATELY)
        .distinct()
    )
    ids = [int(actor.partition(":")[2]) for actor in actors]
    query = select(Officer).where(Officer.id.in_(ids), Officer.disabled_at.is_(None))
    return list(session.scalars(query))
