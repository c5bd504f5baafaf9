"""Repairs: counted for the figures, and an incident when there are more than a few."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.store.base import now
from gateway.store.models import Repair
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
    watch(session)


def watch(session: Session) -> int:
    """Open the incidents of sweeps that have much to repair, and close those that have little any
    more; returns how many it closed."""
    recent = func.sum(Repair.count)
    loud = session.execute(
        select(Repair.sweep, recent)
        .where(Repair.at > now() - WITHIN)
        .group_by(Repair.sweep)
        .having(recent > FEW)
    )
    details = {CAUSE + sweep: f"{count} repairs within the last hour" for sweep, count in loud}
    return incidents.mark_all(session, CAUSE, details)
