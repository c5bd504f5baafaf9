"""Escalations that nobody answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from gateway.cases import escalation, unanswered
from gateway.cases.unanswered import Held, Limits, Step
from gateway.context import Context
from gateway.people import farmers, officers
from gateway.store.models import Case, Escalation, Incident, Message, Officer
from tests.support.house import AREA, FARMER, OFFICER, officer

LIMITS = Limits(timedelta(hours=4), timedelta(hours=8))
HOUR = timedelta(hours=1)
KIGALI = ZoneInfo("Africa/Kigali")
MONDAY = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)  # 08:00 in Kigali
SECOND, THIRD = "+250788000098", "+250788000097"
OPERATOR = "+250788000090"


@pytest.mark.parametrize(
    ("held", "step"),
    [
        (Held(waited=HOUR * 3.9), "wait"),
        (Held(waited=HOUR * 4), "remind"),
        (Held(waited=HOUR * 7.9, reminded=True), "wait"),
        (Held(waited=HOUR * 8, reminded=True), "pass_on"),
        (Held(waited=HOUR * 8), "pass_on"),
        (Held(waited=HOUR * 8, accepted=True, reminded=True), "wait"),
        (Held(waited=HOUR * 4, accepted=True), "remind"),
        (Held(waited=HOUR * 16, accepted=True, reminded=True), "pass_on"),
        (Held(reachable=False), "pass_on"),
        (Held(with_officer=False), "find_officer"),
        (Held(with_officer=False, accepted=True), "wait"),
    ],
)
def test_the_next_step(held: Held, step: Step) -> None:
    assert unanswered.next_step(held, LIMITS) == step


@pytest.fixture
def house(any_context: Context) -> Context:
    settings = any_context.settings.model_copy(update={"operator_phone": OPERATOR})
    context = replace(any_context, settings=settings)
    assert context.desk.operator_phone == OPERATOR
    return context


@pytest.fixture
def ask(house: Context) -> Callable[[], str]:
    def request() -> str:
        """A farmer asks for an officer on Monday morning; returns the case's code."""
        with time_machine.travel(MONDAY, tick=False), house.store.transaction() as session:
            farmer = farmers.find_or_create(session, FARMER)
            farmer.area = AREA
            return escalation.request_officer(session, house.desk, farmer, "spreading").code

    return request


def sweep(context: Context, after: float) -> int:
    moment = MONDAY + timedelta(hours=after)
    with time_machine.travel(moment, tick=False):
        with context.store.reading() as session:
            due = unanswered.due(session, LIMITS, KIGALI, moment)
        done = 0
        for number in due:
            with context.store.transaction() as session:
                done += unanswered.take_step(session, context.desk, number, LIMITS, KIGALI, moment)
        with context.store.transaction() as session:
            unanswered.watch(session, moment)
    return done


def told(context: Context) -> list[tuple[str, str]]:
    """(number, template) of everything posted, in order."""
    with context.store.reading() as session:
        rows = session.scalars(select(Message).order_by(Message.id))
        return [(row.address, row.template or "") for row in rows]


def test_a_reminder_then_a_colleague_then_the_operator(
    house: Context, ask: Callable[[], str]
) -> None:
    officer(house.store)
    ask()
    officer(house.store, SECOND)  # on duty since later
    before = len(told(house))
    assert sweep(house, 3.9) == 0
    assert sweep(house, 4.1) == 1
    assert told(house)[before:] == [(OFFICER, "officer_reminder")]
    assert sweep(house, 4.2) == 0  # once
    assert sweep(house, 8.1) == 1
    assert told(house)[before + 1 :] == [
        (SECOND, "escalation_officer_report"),
        (OFFICER, "officer_released"),
    ]
    assert sweep(house, 8.2) == 0
    assert sweep(house, 12.2) == 1  # the colleague is reminded
    assert sweep(house, 16.2) == 1
    assert told(house)[-2:] == [
        (OPERATOR, "escalation_officer_report"),
        (SECOND, "officer_released"),
    ]
    assert sweep(house, 17) == 0
    with house.store.reading() as session:
        assert session.scalars(select(Case)).one().state == "escalated"
        holders = session.scalars(select(Escalation.officer_id).order_by(Escalation.id)).all()
        assert holders[-1] is None
        assert session.scalar(select(Incident.cause)) is None
    sweep(house, 42)
    with house.store.reading() as session:
        assert session.scalar(select(Incident.cause)) == unanswered.CAUSE


def test_nights_and_days_off_do_not_count(house: Context, ask: Callable[[], str]) -> None:
    keza = officer(house.store)
    with house.store.transaction() as session:
        row = session.get_one(Officer, keza.id)
        row.work_days, row.work_hours = "3", "08:00-17:00"  # Wednesdays
    ask()
    assert sweep(house, 47.9) == 0
    assert sweep(house, 48 + 3.9) == 0
    assert sweep(house, 48 + 4.1) == 1


def test_an_accepted_case_gets_twice_the_time(house: Context, ask: Callable[[], str]) -> None:
    officer(house.store)
    officer(house.store, SECOND)
    code = ask()
    with time_machine.travel(MONDAY + HOUR, tick=False), house.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        holder = session.scalars(select(Escalation)).one().officer
        assert holder is not None
        escalation.accept(session, holder, case)
    assert sweep(house, 1 + 15.9) == 1  # only the reminder
    assert sweep(house, 1 + 16.1) == 1
    with house.store.reading() as session:
        assert session.scalars(select(Case)).one().state == "escalated"


def test_nobody_on_duty_then_somebody(house: Context, ask: Callable[[], str]) -> None:
    ask()
    assert told(house) == [(OPERATOR, "escalation_officer_report"), (FARMER, "no_officer")]
    assert sweep(house, 1) == 0
    officer(house.store)
    assert sweep(house, 2) == 1
    assert told(house)[2:] == [
        (OFFICER, "escalation_officer_report"),
        (FARMER, "escalation_farmer"),
    ]
    assert sweep(house, 2.1) == 0


@pytest.mark.parametrize("why", ["refused", "disabled"])
def test_an_officer_who_cannot_be_reached_loses_the_case_at_once(
    house: Context, ask: Callable[[], str], why: str
) -> None:
    keza = officer(house.store)
    ask()
    officer(house.store, SECOND)
    with house.store.transaction() as session:
        if why == "disabled":
            officers.disable(session, keza.id)
        else:
            about = select(Message).where(Message.officer_id == keza.id)
            session.scalars(about).one().state = "failed"
    assert sweep(house, 0.1) == 1
    assert (SECOND, "escalation_officer_report") in told(house)
    assert sweep(house, 0.2) == 0


def test_an_answered_case_is_left_alone(house: Context, ask: Callable[[], str]) -> None:
    keza = officer(house.store)
    code = ask()
    with house.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        holder = session.get_one(Officer, keza.id)
        escalation.answer(session, house.desk, holder, case, "Remove the worst leaves.")
    assert sweep(house, 100) == 0
