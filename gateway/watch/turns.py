"""Turns: which scheduler runs a sweep next, and when, whatever number of them there is."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from gateway.store.database import insert_once
from gateway.store.models import SweepTurn

LEASE = timedelta(minutes=1)
"""A scheduler that died over a sweep keeps it from the others for no longer."""
LONGEST = timedelta(days=2)
"""What is farther away is from before the clock was set back."""


def take(session: Session, sweep: str, moment: datetime) -> bool:
    """Whether the turn is ours; nobody else has it for the time of a lease."""
    until = moment + LEASE
    if insert_once(session, SweepTurn, {"sweep": sweep, "next_at": until}, "sweep"):
        return True
    due = or_(SweepTurn.next_at <= moment, SweepTurn.next_at > moment + LONGEST)
    mine = update(SweepTurn).where(SweepTurn.sweep == sweep, due).values(next_at=until)
    return session.scalar(mine.returning(SweepTurn.sweep)) is not None


def end(session: Session, sweep: str, next_at: datetime) -> None:
    """The sweep was run; the next turn is at an instant."""
    session.execute(update(SweepTurn).where(SweepTurn.sweep == sweep).values(next_at=next_at))


def looked_at(session: Session, sweep: str) -> datetime | None:
    """When the sweep last looked at everything."""
    return session.scalar(select(SweepTurn.looked_at).where(SweepTurn.sweep == sweep))


def look(session: Session, sweep: str, moment: datetime) -> None:
    """Write down that it has."""
    insert_once(session, SweepTurn, {"sweep": sweep, "next_at": moment}, "sweep")
    session.execute(update(SweepTurn).where(SweepTurn.sweep == sweep).values(looked_at=moment))
