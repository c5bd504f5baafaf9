"""Sweeps at size: statements are counted, not seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, insert, select

from gateway.cases import life, unanswered
from gateway.context import Context
from gateway.jobs import followups, scheduler, sweeps_cases
from gateway.jobs.scheduler import SCHEDULE, Periodic
from gateway.people import farmers, officers
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Farmer, Officer, SweepTurn
from gateway.watch import turns

OPEN = 2000
A_BATCH = 8
"""Statements that a sweep may take for every batch that it looks at."""
HOUR = timedelta(hours=1)


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)


def cases(store: Store, count: int, state: str, **more: Any) -> None:
    """So many cases of one farmer, each with an open escalation where `state` says so."""
    with store.transaction() as session:
        farmer = farmers.find_or_create(session, "+250788000001")
        session.execute(
            insert(Case),
            [
                {"code": f"{number:07}", "farmer_id": farmer.id, "source": "ussd",
                 "language": "rw", "state": state, "area": f"District{number % 50}/Sector",
                 "answers": None, "created_at": now(), "updated_at": now()} | more
                for number in range(count)
            ],
        )  # fmt: skip


def escalated(store: Store, count: int, officer_id: int | None) -> None:
    cases(store, count, life.ESCALATED)
    with store.transaction() as session:
        session.execute(
            insert(Escalation),
            [
                {"case_id": number, "officer_id": officer_id, "reason": "unknown",
                 "opened_at": now()}
                for number in session.scalars(select(Case.id))
            ],
        )  # fmt: skip


@pytest.mark.parametrize("held", [True, False])
def test_one_round_over_many_open_escalations(
    any_context: Context, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = any_context.store
    with store.transaction() as session:
        mine, _ = officers.add(session, "+250788000099", "Keza", "Elsewhere", ["rw"])
        for number in range(30):
            officers.add(session, f"+2507880100{number:02}", "One", f"Far{number}", ["rw"])
    escalated(store, OPEN, mine.id if held else None)
    with statements(store) as seen:
        for periodic in SCHEDULE:
            scheduler.sweep_once(any_context, periodic)
    batches = OPEN // unanswered.BATCH + 1
    assert len(seen) <= A_BATCH * (len(SCHEDULE) + batches)


def test_officers_of_other_districts_are_not_read(any_context: Context) -> None:
    store = any_context.store
    with store.transaction() as session:
        for number in range(40):
            officers.add(session, f"+2507880100{number:02}", "One", f"Far{number}", ["rw"])
        near, _ = officers.add(session, "+250788000099", "Keza", " rwámagana ", ["rw"])
        session.flush()
        old = session.get_one(Officer, near.id)
        loaded: list[object] = []
        event.listen(session, "loaded_as_persistent", lambda _s, row: loaded.append(row))
        session.expire_all()
        from gateway.cases import routing

        assert routing.choose(session, "Rwamagana/Muhazi", "rw") is old
    assert loaded == [] or loaded == [old]


def test_a_row_of_an_older_program_is_routed_all_the_same(any_context: Context) -> None:
    from gateway.cases import routing

    with any_context.store.transaction() as session:
        near, _ = officers.add(session, "+250788000099", "Keza", "Rwamagana", ["rw"])
        session.flush()
        near.area_key = None
        session.flush()
        assert routing.choose(session, "Rwamagana/Muhazi", "rw") is near
        assert routing.Team(session).has("RWAMAGANA/Muhazi", frozenset())
        assert not routing.Team(session).has("Kayonza", frozenset())
        assert not routing.Team(session).has("Rwamagana", frozenset({near.id}))
        near.area = "Kayonza"
        assert near.area_key == "kayonza"


def test_many_are_acted_on_in_rounds(any_context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unanswered, "ROUND", 4)
    monkeypatch.setattr(unanswered, "BATCH", 2)
    with any_context.store.transaction() as session:
        officer, _ = officers.add(session, "+250788000099", "Keza", "*", ["rw"])
    escalated(any_context.store, 7, officer.id)
    with time_machine.travel(now() + 5 * HOUR):
        done = [sweeps_cases.unanswered_escalations(any_context) for _ in range(3)]
    assert done == [4, 3, 0]


@pytest.mark.parametrize("sweep", [followups.outcome_questions, sweeps_cases.cases_without_answer])
def test_what_a_sweep_does_not_change_is_not_loaded(
    any_context: Context, sweep: Callable[[Context], int]
) -> None:
    store = any_context.store
    with time_machine.travel(now() - timedelta(days=15)):
        cases(store, 300, life.CLOSED, answers={"better": "yes", "ask_later": "yes"})
    loaded: list[object] = []
    from sqlalchemy.orm import Session

    def note(_session: Any, row: object) -> None:
        loaded.append(row)

    event.listen(Session, "loaded_as_persistent", note)
    try:
        assert sweep(any_context) == 0
    finally:
        event.remove(Session, "loaded_as_persistent", note)
    assert loaded == []


@pytest.mark.parametrize("told", [{"ask_later": "yes"}, {"ask_later": "yes", "better": ""}])
def test_who_wanted_it_is_asked(any_context: Context, told: dict[str, str]) -> None:
    with time_machine.travel(now() - timedelta(days=15)):
        cases(any_context.store, 1, life.ANSWERED, answers=told)
    assert followups.outcome_questions(any_context) == 1
    assert followups.outcome_questions(any_context) == 0


def test_an_old_case_without_an_answer_is_found_once_a_day(any_context: Context) -> None:
    assert sweeps_cases.cases_without_answer(any_context) == 0
    with time_machine.travel(now() - timedelta(days=9)):
        cases(any_context.store, 1, life.DIAGNOSED)
    assert sweeps_cases.cases_without_answer(any_context) == 0
    with time_machine.travel(now() + timedelta(days=1)):
        assert sweeps_cases.cases_without_answer(any_context) == 1


# Retention


def test_what_is_forgotten_costs_retention_nothing(any_context: Context) -> None:
    store = any_context.store
    with time_machine.travel(now() - timedelta(days=400)):
        cases(store, 450, life.CLOSED)
    with statements(store) as first:
        assert sweeps_cases.expired_data(any_context) == 451
    assert len(first) <= 60
    with statements(store) as again:
        assert sweeps_cases.expired_data(any_context) == 0
    assert len(again) <= 20
    with store.reading() as session:
        assert set(session.scalars(select(Case.forgotten_at.is_(None)))) == {False}
        somebody = select(Farmer.id).where(Farmer.id.not_in(farmers.NO_PERSON))
        assert session.scalars(somebody).all() == []


# Turns


def test_two_schedulers_take_turns(any_context: Context) -> None:
    store, start = any_context.store, now()

    def take(after: float) -> bool:
        with store.transaction() as session:
            return turns.take(session, "a", start + timedelta(seconds=after))

    assert take(0)
    assert not take(1)
    with store.transaction() as session:
        turns.end(session, "a", start + timedelta(seconds=60))
    assert not take(59)
    assert take(60)
    assert take(60 + turns.LEASE.total_seconds())  # whoever had it died
    assert take(-5 * 24 * 3600)  # the clock was set back


def test_a_sweep_is_done_by_one_of_two_schedulers(any_context: Context) -> None:
    ran: list[str] = []

    def sweep(_context: Context) -> int:
        ran.append("sweep")
        return 0

    periodic = Periodic(3600, sweep)
    assert [scheduler._turn(any_context, periodic) for _ in range(2)] == [True, False]
    assert ran == ["sweep"]
    with any_context.store.reading() as session:
        assert session.scalars(select(SweepTurn.sweep)).all() == ["sweep"]


def test_the_quick_repair_never_waits_for_a_heavy_sweep(context: Context) -> None:
    stop, quick_ran, lasts = threading.Event(), threading.Event(), threading.Event()

    def heavy(_context: Context) -> int:
        lasts.set()
        assert quick_ran.wait(60)
        stop.set()
        return 0

    def quick(_context: Context) -> int:
        if lasts.wait(60):
            quick_ran.set()
        return 0

    scheduler.run(context, stop, [Periodic(3600, heavy, heavy=True), Periodic(1, quick)])
    assert quick_ran.is_set()
