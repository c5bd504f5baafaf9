"""Working hours: how long an officer was at work between two instants, and when next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone

LONGEST = timedelta(days=60)
"""Nobody waits longer than this without being late; it bounds the counting of days."""
DAY = timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")


def zone_of(region: str) -> ZoneInfo:
    """The time zone of a country (ISO 3166), the first where it has several; UTC if unknown."""
    example = phonenumbers.example_number(region)
    zones = timezone.time_zones_for_number(example) if example else ()
    known = [zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE]
    return ZoneInfo(known[0] if known else "UTC")


def day(instant: datetime, zone: ZoneInfo) -> date:
    """The day that people there call it: at half past midnight in Kigali UTC has the day before."""
    return instant.astimezone(zone).date()


def worked(days: str, hours: str, zone: ZoneInfo, since: datetime, until: datetime) -> timedelta:
    """Working time between two instants.

    Args:
        days: ISO weekdays, `12345`; hours: local time, `08:00-17:00`, the end up to `24:00`.
        since, until: aware. A `since` after `until`, as after a clock set back, is no time.
    """
    begin, end = (of_day(part) for part in hours.split("-"))
    since = max(since, until - LONGEST)
    total = timedelta(0)
    midnight = since.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    while midnight <= until:
        if str(midnight.isoweekday()) in days:
            # In UTC, because Python subtracts two instants of one zone by their wall clocks.
            opens, closes = ((midnight + part).astimezone(UTC) for part in (begin, end))
            total += max(timedelta(0), min(until, closes) - max(since, opens))
        midnight += DAY
    return total


def until_work(days: str, hours: str, zone: ZoneInfo, moment: datetime) -> timedelta:
    """Time from `moment` until the officer is at work: none for who is at work now.

    Days and hours are those of `worked`.
    """
    begin, end = (of_day(part) for part in hours.split("-"))
    midnight = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for _day in range(8):  # today's hours may be over, so the same weekday comes once more
        opens, closes = ((midnight + part).astimezone(UTC) for part in (begin, end))
        if str(midnight.isoweekday()) in days and moment < closes:
            return max(timedelta(0), opens - moment)
        midnight += DAY
    return LONGEST


def of_day(text: str) -> timedelta:
    """How long after midnight `17:00` is."""
    hour, _, minute = text.partition(":")
    return timedelta(hours=int(hour), minutes=int(minute))
