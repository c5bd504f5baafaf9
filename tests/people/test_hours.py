from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.people import hours

KIGALI = ZoneInfo("Africa/Kigali")  # UTC+2, no summer time
PARIS = ZoneInfo("Europe/Paris")
OFFICE = "08:00-17:00"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "times", "zone", "since", "until", "expected"),
    [
        # 2026-03-02 is a Monday. 08:00 in Kigali is 06:00 UTC.
        ("12345", OFFICE, KIGALI, "2026-03-02 06:00", "2026-03-02 10:30", 4.5),
        ("12345", OFFICE, KIGALI, "2026-03-02 00:00", "2026-03-02 23:59", 9),
        ("12345", OFFICE, KIGALI, "2026-03-02 14:00", "2026-03-03 07:00", 2),  # over night
        ("12345", OFFICE, KIGALI, "2026-03-06 14:00", "2026-03-09 07:00", 2),  # over a week-end
        ("12345", OFFICE, KIGALI, "2026-03-07 06:00", "2026-03-08 20:00", 0),
        ("1", OFFICE, KIGALI, "2026-03-02 00:00", "2026-03-16 00:00", 18),
        ("1234567", "00:00-24:00", KIGALI, "2026-03-02 00:00", "2026-03-04 00:00", 48),
        ("1234567", "22:00-24:00", KIGALI, "2026-03-02 00:00", "2026-03-03 00:00", 2),
        ("1234567", OFFICE, KIGALI, "2026-03-02 10:00", "2026-03-02 09:00", 0),  # clock set back
        ("1234567", OFFICE, KIGALI, "2020-01-01 00:00", "2026-03-02 20:00", 60 * 9 + 0),
        # 2026-03-29: summer time begins at 02:00, so the night has 23 hours.
        ("1234567", "00:00-24:00", PARIS, "2026-03-28 23:00", "2026-03-29 22:00", 23),
    ],
)
def test_working_time(
    days: str, times: str, zone: ZoneInfo, since: str, until: str, expected: float
) -> None:
    worked = hours.worked(days, times, zone, utc(since), utc(until))
    assert worked == timedelta(hours=expected)


@pytest.mark.parametrize(
    ("days", "times", "zone", "moment", "expected"),
    [
        ("12345", OFFICE, KIGALI, "2026-03-02 06:00", 0),  # Monday, 08:00
        ("12345", OFFICE, KIGALI, "2026-03-02 04:30", 1.5),
        ("12345", OFFICE, KIGALI, "2026-03-02 15:00", 15),  # 17:00 sharp is over
        ("12345", OFFICE, KIGALI, "2026-03-06 16:00", 62),  # Friday evening
        ("1", OFFICE, KIGALI, "2026-03-02 15:00", 7 * 24 - 9),  # not before next Monday
        ("1234567", "00:00-24:00", KIGALI, "2026-03-02 22:00", 0),  # midnight
        ("7", OFFICE, PARIS, "2026-03-28 23:00", 7),  # the night of 23 hours
    ],
)
def test_how_soon_an_officer_is_at_work(
    days: str, times: str, zone: ZoneInfo, moment: str, expected: float
) -> None:
    assert hours.until_work(days, times, zone, utc(moment)) == timedelta(hours=expected)


@pytest.mark.parametrize(
    ("region", "zone"),
    [("RW", "Africa/Kigali"), ("KE", "Africa/Nairobi"), ("NG", "Africa/Lagos"), ("ZZ", "UTC")],
)
def test_the_zone_of_a_country(region: str, zone: str) -> None:
    assert hours.zone_of(region).key == zone
