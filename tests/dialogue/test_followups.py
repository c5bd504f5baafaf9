"""Reminders and questions that come later: to whom, when, and never twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from gateway.context import Context
from gateway.jobs import followups
from gateway.people import farmers
from tests.dialogue.conftest import FARMER, Dial, MakeCase, Outbox

START = datetime(2026, 11, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "days", "reminders"),
    [
        ("photo_requested", 1.9, 0),
        ("photo_requested", 2.1, 1),
        ("photo_requested", 9.5, 0),
        ("answered", 3, 0),
    ],
)
def test_a_missing_photo_is_reminded_of_once(
    context: Context,
    make_case: MakeCase,
    outbox: Outbox,
    state: str,
    days: float,
    reminders: int,
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        make_case(state=state)
        clock.shift(timedelta(days=days))
        assert followups.photo_reminders(context) == reminders
        assert followups.photo_reminders(context) == 0
    assert len(outbox()) == reminders


def test_who_opted_out_is_not_reminded(
    context: Context, make_case: MakeCase, outbox: Outbox
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        make_case(state="photo_requested")
        with context.store.transaction() as session:
            farmers.opt_out(session, farmers.find_or_create(session, FARMER), by="test")
        clock.shift(timedelta(days=3))
        assert followups.photo_reminders(context) == 0
    assert outbox() == []


def test_the_outcome_is_asked_of_who_wanted_it(
    context: Context, dial: Dial, make_case: MakeCase, outbox: Outbox
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        code = make_case(state="answered", label="maize_rust")
        make_case("+250788000005", state="answered", label="maize_rust")
        dial().dial().answer("1").answer("1").answer("98").answer("5").expect_end("two weeks")
        clock.shift(timedelta(days=14, hours=1))
        assert followups.outcome_questions(context) == 1
        assert followups.outcome_questions(context) == 0
    assert code in outbox()[-1]
    assert outbox("+250788000005") == []


def test_the_outcome_is_not_asked_of_who_told_it(
    context: Context, dial: Dial, make_case: MakeCase
) -> None:
    with time_machine.travel(START, tick=False) as clock:
        make_case(state="answered", label="maize_rust")
        dial().dial().answer("1").answer("1").answer("5").expect_end()
        clock.shift(timedelta(days=1))
        dial().dial().answer("1").answer("1").answer("4").answer("1").expect_end()
        clock.shift(timedelta(days=15))
        assert followups.outcome_questions(context) == 0
