"""Incidents: what a person must see to. One open row a cause; it closes when the cause is gone."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from gateway.store.base import now
from gateway.store.models import Incident

log = logging.getLogger("leafline.incidents")

TELL_EVERY = timedelta(hours=1)
SEEN_EVERY = timedelta(minutes=1)
"""What is seen again and again is written down so often."""


def open_(session: Session, cause: str, detail: str = "") -> bool:
    """Open an incident, or note that an open one was seen again. True when it is new.

    `detail` is one line without personal data. Two processes that open the same at once: the
    unique index refuses the second, whose transaction is to be run again.
    """
    at = now()
    known = session.scalar(
        select(Incident)
        .where(Incident.cause == cause, Incident.closed_at.is_(None))
        .with_for_update()
    )
    if known is not None:
        if known.detail != detail[:200] or at - known.seen_at > SEEN_EVERY:
            known.seen_at, known.detail, known.count = at, detail[:200], known.count + 1
        return False
    session.add(Incident(cause=cause, detail=detail[:200], opened_at=at, seen_at=at))
    session.flush()
    log.error("incident opened: %s %s", cause, detail)
    return True


def is_open(session: Session, cause: str) -> bool:
    """Whether a person has still to see to it."""
    query = select(Incident.id).where(Incident.cause == cause, Incident.closed_at.is_(None))
    return session.scalar(query) is not None


def close_others(session: Session, prefix: str, still: Collection[str]) -> None:
    """Close the open incidents whose cause begins with `prefix` and is none of `still`."""
    session.execute(
        update(Incident)
        .where(
            Incident.cause.startswith(prefix, autoescape=True),
            Incident.cause.not_in(still),
            Incident.closed_at.is_(None),
        )
        .values(closed_at=now())
    )


def open_causes(session: Session, prefix: str) -> set[str]:
    """The causes of open incidents that begin with `prefix`."""
    query = select(Incident.cause).where(
        Incident.cause.startswith(prefix, autoescape=True), Incident.closed_at.is_(None)
    )
    return set(session.scalars(query))


def close(session: Session, prefix: str, *, deeper: bool = True) -> int:
    """Close the open incidents whose cause begins with `prefix`; returns how many.

    `deeper`: also those with another colon after it (`channel:kannel:tls` after `channel:`).
    """
    fits = Incident.cause.startswith(prefix, autoescape=True)
    if not deeper:
        further = prefix.replace("/", "//").replace("%", "/%").replace("_", "/_") + "%:%"
        fits &= Incident.cause.not_like(further, escape="/")
    return _close(session, fits)


def _close(session: Session, which: ColumnElement[bool]) -> int:
    closed = session.scalars(
        update(Incident)
        .where(which, Incident.closed_at.is_(None))
        .values(closed_at=now())
        .returning(Incident.cause)
    ).all()
    for cause in closed:
        log.warning("incident closed: %s", cause)
    return len(closed)


def mark(session: Session, cause: str, detail: str) -> int:
    """Open an incident while there is something to say of it (`detail`), and close it when there
    is not any more; returns how many it closed."""
    if not detail:
        return _close(session, Incident.cause == cause)
    open_(session, cause, detail)
    return 0


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
