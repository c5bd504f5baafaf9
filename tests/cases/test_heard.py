"""A farmer's own words: kept with her case, told to its officer, gathered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from gateway.cases import escalation, heard
from gateway.cases.case import open_case
from gateway.context import Context
from gateway.dialogue.sms import Incoming, receive
from gateway.people import officers
from gateway.store.models import Case, Event, Message
from rig import things as house

NOON = datetime(2026, 11, 3, 10, tzinfo=UTC)
OFFICER = "+250788000009"

Write = Callable[[str], None]


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(NOON, tick=False) as moved:
        yield moved


@pytest.fixture
def code(context: Context, clock: time_machine.Coordinates) -> str:
    farmer = house.farmer(context.store)
    with context.store.transaction() as session:
        officers.add(session, OFFICER, "Ada", "*", ["en"])
        farmer = session.merge(farmer)
        case = open_case(session, farmer, source="ussd", crop="maize")
        escalation.escalate(session, context.desk, case, "spreading", actor="farmer")
        return case.code


@pytest.fixture
def write(context: Context) -> Write:
    count = iter(range(100))

    def deliver(text: str) -> None:
        receive(context.dialogue, Incoming(f"w{next(count)}", house.FARMER, text, NOON))

    return deliver


def told(context: Context) -> list[tuple[str, datetime]]:
    with context.store.reading() as session:
        query = select(Message).where(Message.template == heard.TOLD).order_by(Message.id)
        return [(str(row.text).partition("writes: ")[2], row.not_before) for row in
                session.scalars(query)]  # fmt: skip


def test_words_are_told_once_an_hour_and_gathered(
    context: Context, code: str, write: Write, clock: time_machine.Coordinates
) -> None:
    write("it is spreading")
    write("the lower leaves are gone")
    clock.shift(600)
    write(f"{code} should I burn them?")
    (first, at), (later, due) = told(context)
    assert first == "it is spreading"
    assert later == "the lower leaves are gone / should I burn them?".replace(
        "should", f"{code} should"
    )
    assert due - max(at, NOON) == timedelta(hours=1)
    clock.shift(timedelta(hours=3))
    write("nobody came")
    assert told(context)[-1][0] == "nobody came"
    assert len(told(context)) == 3


def test_words_are_kept_with_the_case(context: Context, code: str, write: Write) -> None:
    write("my neighbour has it too")
    with context.store.reading() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        assert [str(m.text) for m in heard.words_of(session, case)] == ["my neighbour has it too"]
        kinds = session.scalars(select(Event.kind).where(Event.case_id == case.id)).all()
    assert heard.WROTE in kinds


def test_a_case_that_got_worse_is_taken_up_again(
    context: Context, code: str, clock: time_machine.Coordinates
) -> None:
    with context.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        officer = officers.by_phone(session, OFFICER)
        assert officer is not None
        escalation.answer(session, context.desk, officer, case, "Bury the leaves.")
        assert case.state == "closed"
        again = escalation.request_officer(
            session, context.desk, case.farmer, escalation.WORSE, case=case
        )
        assert (again.code, again.state) == (code, "escalated")
        other = escalation.request_officer(
            session, context.desk, case.farmer, "farmer_asks", crop="beans"
        )
        assert other.code != code


@pytest.mark.parametrize(("crop", "same"), [(None, True), ("maize", True), ("beans", False)])
def test_a_request_joins_the_open_case(
    context: Context, code: str, crop: str | None, same: bool
) -> None:
    with context.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        asked = escalation.request_officer(
            session, context.desk, case.farmer, "other", crop=crop, source="sms"
        )
        assert (asked.code == code) is same
