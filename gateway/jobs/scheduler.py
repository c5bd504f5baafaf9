"""`leafline scheduler`: runs each sweep at its interval, and outlives the failure of any."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from redis.exceptions import RedisError

from gateway.context import Context
from gateway.jobs import (
    backups,
    broadcasts,
    followups,
    sweeps,
    sweeps_cases,
    sweeps_media,
    sweeps_messages,
)
from gateway.store import away
from gateway.store.base import now
from gateway.watch import repairs, turns

log = logging.getLogger(__name__)

TURNS_FROM = 30.0
ASK_AGAIN = 5.0
"""Seconds after which a sweep that another scheduler has is asked for again, at the least."""


@dataclass(frozen=True)
class Periodic:
    every: float
    """Seconds."""
    sweep: Callable[[Context], int]
    """Returns how many things it did."""
    repairs: bool = False
    """What it does puts right what went wrong before: counted, and an incident when it is much."""
    heavy: bool = False
    """It may take long, and runs where no other waits for it."""

    @property
    def by_turns(self) -> bool:
        """Whether one scheduler at a time does it, as often as it says. What runs every few seconds
        is cheap and may be done twice."""
        return self.every >= TURNS_FROM


SCHEDULE: Sequence[Periodic] = (
    Periodic(5, sweeps.waiting_photos, repairs=True),
    Periodic(3600, sweeps.orphaned_photos, repairs=True, heavy=True),
    Periodic(60, sweeps_cases.cases_without_answer, repairs=True, heavy=True),
    Periodic(60, sweeps_cases.photos_that_never_came),
    Periodic(60, sweeps_cases.unanswered_escalations, heavy=True),
    Periodic(60, sweeps_cases.undelivered_answers, heavy=True),
    Periodic(3600, sweeps_cases.expired_data, heavy=True),
    Periodic(600, sweeps_cases.plain_values, heavy=True),
    Periodic(3600, sweeps_messages.silent_messages, heavy=True),
    Periodic(60, sweeps_messages.clock_set_back, repairs=True),
    Periodic(30, sweeps_messages.watch),
    Periodic(30, sweeps_messages.guessing_at_pins),
    Periodic(30, sweeps_messages.tell_operator),
    Periodic(30, sweeps_media.waiting_media),
    Periodic(900, followups.photo_reminders, heavy=True),
    Periodic(3600, followups.outcome_questions, heavy=True),
    Periodic(10, broadcasts.post),
    Periodic(600, backups.due, heavy=True),
)


def run(context: Context, stop: threading.Event, schedule: Sequence[Periodic] = SCHEDULE) -> None:
    """Sweep until `stop` is set; heavy sweeps on a thread of their own."""
    light = [periodic for periodic in schedule if not periodic.heavy]
    heavy = [periodic for periodic in schedule if periodic.heavy]
    beside = threading.Thread(target=_rounds, args=(context, stop, heavy), name="heavy-sweeps")
    beside.start()
    try:
        _rounds(context, stop, light)
    finally:
        beside.join()


def _rounds(context: Context, stop: threading.Event, schedule: Sequence[Periodic]) -> None:
    due = dict.fromkeys(range(len(schedule)), 0.0)
    while due and not stop.is_set():
        for index, periodic in enumerate(schedule):
            moment = time.monotonic()
            if due[index] <= moment and not stop.is_set():
                done = _turn(context, periodic)
                due[index] = moment + (periodic.every if done else _again(periodic))
        stop.wait(max(0.1, min(due.values()) - time.monotonic()))


def _again(periodic: Periodic) -> float:
    return max(ASK_AGAIN, periodic.every / 10)


def _turn(context: Context, periodic: Periodic) -> bool:
    """Run a sweep if it is this scheduler's turn; False when it is not, or cannot be known."""
    if not periodic.by_turns:
        sweep_once(context, periodic)
        return True
    name, moment = periodic.sweep.__name__, now()
    try:
        with context.store.transaction() as session:
            mine = turns.take(session, name, moment)
        if mine:
            sweep_once(context, periodic)
            with context.store.transaction() as session:
                turns.end(session, name, moment + timedelta(seconds=periodic.every))
    except Exception as error:
        if not away(error):
            raise
        log.error("sweep_postponed sweep=%s error=%s", name, type(error).__name__)
        return False
    return mine


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
