"""Incidents: what a person must see to. One open row a cause; it closes when the cause is gone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from gateway.store.base import now
from gateway.store.database import insert_once
from gateway.store.models import Incident

log = logging.getLogger("leafline.incidents")

TELL_EVERY = timedelta(hours=1)
SEEN_EVERY = timedelta(minutes=1)
"""What is seen again and again is written down so often."""


def open_(session: Session, cause: str, detail: str = "") -> bool:
    """Open an incident, or note that an open one was seen again. True when it is new.

    `detail` is one line without personal data. Of two processes that open the same at once, one
    does.
    """
    at, detail = now(), detail[:200]
    known = session.scalar(
        select(Incident)
        .where(Incident.cause == cause, Incident.closed_at.is_(None))
        .with_for_update()
    )
    if known is not None:
        if known.detail != detail or at - known.seen_at > SEEN_EVERY:
            known.seen_at, known.detail, known.count = at, detail, known.count + 1
        return False
    made = insert_once(
        session, Incident, {"cause": cause, "detail": detail, "opened_at": at, "seen_at": at}
    )
    if made:
        log.error("incident opened: %s %s", cause, detail)
    return made


def is_open(session: Session, cause: str) -> bool:
    """Whether a person has still to see to it."""
    query = select(Incident.id).where(Incident.cause == cause, Incident.closed_at.is_(None))
    return session.scalar(query) is not None


def mark(session: Session, cause: str, detail: str) -> int:
    """Open an incident while there is something to say of it (`detail`), and close it when there
    is not any more; returns how many it closed."""
    if not detail:
        return _close(session, Incident.cause == cause)
    open_(session, cause, detail)
    return 0


def mark_all(session: Session, prefix: str, details: Mapping[str, str]) -> int:
    """Of all causes that begin with `prefix`, open those that there is something to say of (cause
    to detail), and close the others; returns how many it closed."""
    for cause in sorted(details):  # always in one order: else two could wait for each other
        open_(session, cause, details[cause])
    return _close(session, _begins(prefix), Incident.cause.not_in(list(details)))


def close(session: Session, prefix: str) -> int:
    """Close the open incidents whose cause is `prefix` and one more word; returns how many.

    `channel:kannel:tls` is not one of `channel:`.
    """
    further = prefix.replace("/", "//").replace("%", "/%").replace("_", "/_") + "%:%"
    return _close(session, _begins(prefix), Incident.cause.not_like(further, escape="/"))


def _begins(prefix: str) -> ColumnElement[bool]:
    return Incident.cause.startswith(prefix, autoescape=True)


def _close(session: Session, *which: ColumnElement[bool]) -> int:
    closed = session.scalars(
        update(Incident)
        .where(*which, Incident.closed_at.is_(None))
        .values(closed_at=now())
        .returning(Incident.cause)
    ).all()
    for cause in closed:
        log.warning("incident closed: %s", cause)
    return len(closed)


def to_tell(session: Session, at: datetime) -> list[Incident]:
    """Open incidents of whose cause the operator has not been told within the last hour.

    Of the cause: what closes and opens again all the time is told once an hour too.
    """
    lately = select(Incident.cause).where(Incident.told_at > at - TELL_EVERY)
    query = (
        select(Incident)
        .where(Incident.closed_at.is_(None), Incident.cause.not_in(lately))
        .order_by(Incident.id)
    )
    return list(session.scalars(query))
