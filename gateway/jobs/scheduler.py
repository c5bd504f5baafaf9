"""`leafline scheduler`: runs each sweep at its interval, and outlives the failure of any."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError

from gateway.context import Context
from gateway.jobs import (
    broadcasts,
    followups,
    sweeps,
    sweeps_cases,
    sweeps_media,
    sweeps_messages,
)
from gateway.store import away
from gateway.watch import repairs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Periodic:
    every: float
    """Seconds."""
    sweep: Callable[[Context], int]
    """Returns how many things it did."""
    repairs: bool = False
    """What it does puts right what went wrong before: counted, and an incident when it is much."""


SCHEDULE: Sequence[Periodic] = (
    Periodic(5, sweeps.waiting_photos, repairs=True),
    Periodic(3600, sweeps.orphaned_photos, repairs=True),
    Periodic(60, sweeps_cases.cases_without_answer, repairs=True),
    Periodic(60, sweeps_cases.photos_that_never_came),
    Periodic(60, sweeps_cases.unanswered_escalations),
    Periodic(60, sweeps_cases.undelivered_answers),
    Periodic(3600, sweeps_cases.expired_data),
    Periodic(600, sweeps_cases.plain_values),
    Periodic(3600, sweeps_messages.silent_messages),
    Periodic(60, sweeps_messages.clock_set_back, repairs=True),
    Periodic(30, sweeps_messages.watch),
    Periodic(30, sweeps_messages.guessing_at_pins),
    Periodic(30, sweeps_messages.tell_operator),
    Periodic(30, sweeps_media.waiting_media),
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
                sweep_once(context, periodic)
                due[index] = moment + periodic.every
        stop.wait(max(0.1, min(due.values()) - time.monotonic()))


def sweep_once(context: Context, periodic: Periodic) -> int:
    """Run one sweep; what it did and how it failed are lines in the log."""
    name = periodic.sweep.__name__
    try:
        done = periodic.sweep(context)
        if done and periodic.repairs:
            with context.store.transaction() as session:
                repairs.note(session, name, done)
    except Exception as error:
        if away(error) or isinstance(error, RedisError):
            log.error("sweep_postponed sweep=%s error=%s", name, type(error).__name__)
        else:
            log.exception("sweep_failed sweep=%s error=%s", name, type(error).__name__)
        return 0
    if done and not periodic.repairs:
        log.info("sweep_done sweep=%s count=%s", name, done)
    return done
