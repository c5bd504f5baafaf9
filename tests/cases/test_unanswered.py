"""Escalations that nobody answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.cases import escalation, judgement, life, unanswered
from gateway.cases.case import hold
from gateway.cases.unanswered import Held, Limits, Step
from gateway.context import Context
from gateway.dialogue import answers
from gateway.people import farmers, officers
from gateway.store.models import Case, Escalation, Incident, Message, Officer
from rig.things import AREA, FARMER, OFFICER, officer

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
        (Held(refused=True), "pass_on"),
        (Held(refused=True, accepted=True), "wait"),
        (Held(refused=True, accepted=True, waited=HOUR * 16), "pass_on"),
        (Held(disabled=True), "pass_on"),
        (Held(disabled=True, accepted=True), "pass_on"),
        (Held(with_officer=False), "find_officer"),
        (Held(with_officer=False, accepted=True), "wait"),
        (Held(accepted=True, promised=True), "wait"),
        (Held(accepted=True, promised=True, disabled=True), "pass_on"),
        (Held(accepted=True, promised=True, due=True), "remind"),
        (Held(accepted=True, promised=True, due=True, reminded=True, waited=HOUR * 7), "wait"),
        (Held(accepted=True, promised=True, due=True, reminded=True, waited=HOUR * 8), "pass_on"),
        (Held(with_officer=False, accepted=True, promised=True), "wait"),
        (Held(with_officer=False, accepted=True, promised=True, due=True), "remind"),
        (
            Held(with_officer=False, accepted=True, promised=True, due=True, reminded=True),
            "wait",
        ),
        (Held(closed=True), "withdraw"),
        (Held(closed=True, with_officer=False, accepted=True), "withdraw"),
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


def promise(context: Context, code: str, words: str) -> None:
    with time_machine.travel(MONDAY, tick=False), context.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        held = session.scalars(select(Escalation).where(Escalation.closed_at.is_(None))).one()
        answers.answer(session, context.catalogue, context.desk, held.officer, case, words)


def test_who_promised_to_come_is_asked_on_the_day_and_then_passed_on(
    house: Context, ask: Callable[[], str]
) -> None:
    officer(house.store)
    code = ask()
    officer(house.store, SECOND)
    promise(house, code, "I will visit on Wednesday")
    with house.store.reading() as session:
        assert session.scalars(select(Case.state)).one() == "promised"
    before = len(told(house))
    assert sweep(house, 57.9) == 0  # past every limit of who promised nothing
    assert sweep(house, 58.1) == 1  # 18:00 on Wednesday
    assert told(house)[before:] == [(OFFICER, "officer_promise_due")]
    assert sweep(house, 58.2) == 0  # once
    assert sweep(house, 65.9) == 0
    assert sweep(house, 66.1) == 1  # eight working hours later
    assert told(house)[before + 1 :] == [
        (SECOND, "escalation_officer_report"),
        (FARMER, "promise_passed"),
        (OFFICER, "officer_released"),
    ]
    with house.store.reading() as session:
        assert session.scalars(select(Case.state)).one() == "escalated"


def test_only_an_outcome_closes_what_was_promised(house: Context, ask: Callable[[], str]) -> None:
    officer(house.store)
    code = ask()
    promise(house, code, "I will call tomorrow")
    promise(house, code, "I will call on Thursday")  # put off, and said so
    assert sweep(house, 40) == 0
    with house.store.transaction() as session:
        case = session.scalars(select(Case)).one()
        held = session.scalars(select(Escalation)).one()
        said = answers.answer(
            session, house.catalogue, house.desk, held.officer, case, "We met; bury the leaves"
        )
        assert said == ""
        assert case.state == "closed"
    assert sweep(house, 200) == 0


def test_a_promise_that_is_always_put_off_comes_to_an_end(
    house: Context, ask: Callable[[], str]
) -> None:
    officer(house.store)
    code = ask()
    officer(house.store, SECOND)
    promise(house, code, "I will come on 20/12")
    before = len(told(house))
    assert sweep(house, 24 * 14 - 1) == 0
    assert sweep(house, 24 * 14 + 1) == 1
    assert told(house)[before:] == [(OFFICER, "officer_promise_due")]
    assert sweep(house, 24 * 16) == 1
    assert (FARMER, "promise_passed") in told(house)[before:]


def test_the_operator_keeps_what_the_operator_promised(
    house: Context, ask: Callable[[], str]
) -> None:
    code = ask()
    promise(house, code, "I will call today")
    officer(house.store)
    before = len(told(house))
    assert sweep(house, 5) == 0
    assert sweep(house, 9.5) == 1
    assert told(house)[before:] == [(OPERATOR, "officer_promise_due")]
    assert sweep(house, 300) == 0


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


def holders(context: Context) -> list[int | None]:
    with context.store.reading() as session:
        return list(session.scalars(select(Escalation.officer_id).order_by(Escalation.id)))


def test_after_two_officers_the_operator_keeps_the_case(
    house: Context, ask: Callable[[], str]
) -> None:
    first, second = officer(house.store), officer(house.store, SECOND)
    officer(house.store, THIRD)
    ask()
    for hour in range(1, 72):
        sweep(house, hour)
    assert holders(house) == [first.id, second.id, None]


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


def fail(context: Context, outcome: str, after: float) -> None:
    """The message about the case did not reach its officer, so many hours after Monday's start."""
    with context.store.transaction() as session:
        row = session.scalars(select(Message).where(Message.officer_id.is_not(None))).one()
        row.state, row.outcome, row.final_at = "failed", outcome, MONDAY + HOUR * after


def test_who_accepted_a_case_keeps_it_whatever_became_of_the_message(
    house: Context, ask: Callable[[], str]
) -> None:
    keza = officer(house.store)
    code = ask()
    officer(house.store, SECOND)
    fail(house, "fate_unknown", 0.1)
    with time_machine.travel(MONDAY + HOUR, tick=False), house.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        escalation.accept(session, session.get_one(Officer, keza.id), case)
    assert sweep(house, 1.1) == 0
    assert holders(house) == [keza.id]
    with house.store.transaction() as session:
        officers.disable(session, keza.id)
    assert sweep(house, 1.2) == 1


def test_an_officers_phone_that_is_off_has_a_day(house: Context, ask: Callable[[], str]) -> None:
    keza = officer(house.store)
    with house.store.transaction() as session:
        session.get_one(Officer, keza.id).work_days = "3"  # so that time is not what passes it on
    ask()
    ali = officer(house.store, SECOND)
    fail(house, "absent", 0.1)
    assert sweep(house, 0.2) == 0
    assert sweep(house, 24) == 0
    assert sweep(house, 24.2) == 1
    assert holders(house) == [keza.id, ali.id]


def test_a_message_that_was_sent_again_is_not_refused(
    house: Context, ask: Callable[[], str]
) -> None:
    officer(house.store)
    ask()
    officer(house.store, SECOND)
    fail(house, "resent", 0.1)
    assert sweep(house, 0.2) == 0


def test_an_open_escalation_of_a_closed_case_is_withdrawn(
    house: Context, ask: Callable[[], str]
) -> None:
    keza = officer(house.store)
    ask()
    with house.store.transaction() as session:
        session.scalars(select(Case)).one().state = life.CLOSED
    before = told(house)
    with pytest.raises(escalation.NotYours):
        answer(house, keza.id)
    assert sweep(house, 0.1) == 1
    assert sweep(house, 0.2) == 0
    assert told(house) == before
    with house.store.reading() as session:
        row = session.scalars(select(Escalation)).one()
        assert (row.outcome, row.closed_at is None) == ("withdrawn", False)


def answer(context: Context, officer_id: int, note: str = "Remove the worst leaves.") -> None:
    with context.store.transaction() as session:
        case = session.scalars(select(Case)).one()
        holder = session.get_one(Officer, officer_id)
        escalation.answer(session, context.desk, holder, case, note)


ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@ON_POSTGRESQL
def test_an_answer_while_the_case_is_passed_on_is_too_late(
    house: Context, ask: Callable[[], str], somebody_waits: Callable[[], None]
) -> None:
    keza = officer(house.store)
    ask()
    ali = officer(house.store, SECOND)
    moment = MONDAY + HOUR * 8.1
    with ThreadPoolExecutor(1) as pool:
        with house.store.transaction() as session:
            (held,) = session.scalars(select(Escalation.id))
            assert unanswered.take_step(session, house.desk, held, LIMITS, KIGALI, moment)
            session.flush()
            late = pool.submit(answer, house, keza.id)
            somebody_waits()
        with pytest.raises(escalation.NotYours):
            late.result(timeout=30)
    with house.store.reading() as session:
        assert session.scalars(select(Case.state)).one() == life.ESCALATED
        still_open = select(Escalation.officer_id).where(Escalation.closed_at.is_(None))
        assert session.scalars(still_open).all() == [ali.id]
    answer(house, ali.id)
    with house.store.reading() as session:
        assert session.scalars(select(Case.state)).one() == life.CLOSED


def _hold(session: Session, case: Case) -> None:
    hold(session, case.id)


@ON_POSTGRESQL
@pytest.mark.parametrize("begin", [_hold, escalation.open_one])
def test_a_case_that_is_being_answered_is_not_passed_on(
    house: Context, ask: Callable[[], str], begin: Callable[[Session, Case], object]
) -> None:
    keza = officer(house.store)
    code = ask()
    officer(house.store, SECOND)
    with house.store.transaction() as session:
        (held,) = session.scalars(select(Escalation.id))
        case = session.scalars(select(Case).where(Case.code == code)).one()
        begin(session, case)  # and nothing changed yet
        with house.store.transaction() as other:
            moment = MONDAY + HOUR * 8.1
            assert not unanswered.take_step(other, house.desk, held, LIMITS, KIGALI, moment)
        holder = session.get_one(Officer, keza.id)
        escalation.answer(session, house.desk, holder, case, "Remove the worst leaves.")
    assert holders(house) == [keza.id]


@ON_POSTGRESQL
def test_a_request_about_a_case_that_was_just_closed_makes_a_new_one(
    house: Context, ask: Callable[[], str]
) -> None:
    keza = officer(house.store)
    code = ask()
    with house.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        case = session.scalars(select(Case).where(Case.code == code)).one()
        answer(house, keza.id)
        asked = escalation.request_officer(session, house.desk, farmer, "spreading", case=case)
        assert asked.code != code


@ON_POSTGRESQL
def test_a_farmer_can_be_written_to_while_she_asks(house: Context, ask: Callable[[], str]) -> None:
    ask()
    with house.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        escalation.request_officer(session, house.desk, farmer, "worse")
        with house.store.transaction() as other:
            about = {"to": FARMER, "text": "x", "kind": "answer", "farmer_id": farmer.id}
            assert outbox.post(other, key="k", **about)


@ON_POSTGRESQL
def test_a_photo_that_fails_opens_no_case_that_was_just_closed(
    house: Context, ask: Callable[[], str]
) -> None:
    keza = officer(house.store)
    ask()
    with house.store.transaction() as session:
        case = session.scalars(select(Case)).one()
        answer(house, keza.id)
        judgement.failed(session, house.desk, case, "machine_failed")
    with house.store.reading() as session:
        assert session.scalars(select(Case.state)).one() == life.CLOSED
    assert holders(house) == [keza.id]
