"""`leafline scheduler`: runs each sweep at its interval, and outlives the failure of any."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.context import Context
from gateway.jobs import broadcasts, followups, media, sweeps

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Periodic:
    every: float
    """Seconds."""
    sweep: Callable[[Context], int]
    """Returns how many things it repaired."""


SCHEDULE: Sequence[Periodic] = (
    Periodic(10, sweeps.waiting_photos),
    Periodic(3600, sweeps.orphaned_photos),
    Periodic(30, media.waiting_media),
    Periodic(900, followups.photo_reminders),
    Periodic(3600, followups.outcome_questions),
    Periodic(10, broadcasts.post),
)


def run(context: Context, stop: threading.Event, schedule: Sequence[Periodic] = SCHEDULE) -> None:
    """Sweep until `stop` is set."""
    due = dict.fromkeys(range(len(schedule)), 0.0)
    while not stop.is_set():
        moment = time.monotonic()
        for index, periodic in enumerate(schedule):
            if due[index] <= moment:
                sweep_once(context, periodic.sweep)
                due[index] = moment + periodic.every
        stop.wait(max(0.1, min(due.values()) - time.monotonic()))


def sweep_once(context: Context, sweep: Callable[[Context], int]) -> int:
    """Run one sweep; what it repaired and how it failed are lines in the log."""
    name = sweep.__name__
    try:
        repaired = sweep(context)
    except Exception as error:
        log.exception("sweep_failed sweep=%s error=%s", name, type(error).__name__)
        return 0
    if repaired:
        log.warning("sweep_repaired sweep=%s count=%s", name, repaired)
    return repaired
