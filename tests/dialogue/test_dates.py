"""A day is the one of the place where it is read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from gateway.people import hours
from tests.dialogue.conftest import Dial, MakeCase


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Africa/Kigali", datetime(2026, 11, 3, 22, 30, tzinfo=UTC), date(2026, 11, 4)),
        ("Africa/Kigali", datetime(2026, 12, 31, 21, 59, tzinfo=UTC), date(2026, 12, 31)),
        ("Africa/Nairobi", datetime(2026, 12, 31, 21, 0, tzinfo=UTC), date(2027, 1, 1)),
        ("America/New_York", datetime(2026, 11, 4, 3, 0, tzinfo=UTC), date(2026, 11, 3)),
    ],
)
def test_days_by_the_clock_on_the_wall(zone: str, at: datetime, day: date) -> None:
    assert hours.day(at, ZoneInfo(zone)) == day


def test_a_case_opened_after_midnight_shows_that_day(dial: Dial, make_case: MakeCase) -> None:
    with time_machine.travel(datetime(2026, 11, 3, 22, 30, tzinfo=UTC), tick=False):
        code = make_case()
        dial().dial().answer("1").expect(f"{code} 04/11")
