"""Repairs: counted for the figures, and an incident when there are more than a few."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.store.base import now
from gateway.store.models import Incident, Repair
from gateway.watch import incidents

log = logging.getLogger("leafline.repairs")

FEW = 10
WITHIN = timedelta(hours=1)
CAUSE = "repairs:"


def note(session: Session, sweep: str, count: int) -> None:
    """Write down what one round of a sweep repaired; nothing when that was nothing."""
    if count <= 0:
        return
    session.add(Repair(sweep=sweep, count=count))
    session.flush()
    log.warning("sweep_repaired sweep=%s count=%s", sweep, count)
    if (recent := _recent(session, sweep, now())) > FEW:
        incidents.open_(session, CAUSE + sweep, f"{recent} repairs within the last hour")


def calm_down(session: Session) -> int:
    """Close the incidents of sweeps that have little to repair any more; returns how many."""
    causes = session.scalars(
        select(Incident.cause).where(
            Incident.closed_at.is_(None), Incident.cause.startswith(CAUSE, autoescape=True)
        )
    ).all()
    at = now()
    quiet = [cause for cause in causes if _recent(session, cause.removeprefix(CAUSE), at) <= FEW]
    return sum(incidents.close(session, cause) for cause in quiet)


def _recent(session: Session, sweep: str, at: datetime) -> int:
    query = select(func.coalesce(func.sum(Repair.count), 0))
    return int(session.scalar(query.where(Repair.sweep == sweep, Repair.at > at - WITHIN)) or 0)
