"""How long ago, in the largest unit that fits: what an officer needs, in any time zone."""

from __future__ import annotations

from datetime import datetime, timedelta

DEADLINE = timedelta(days=1)
"""An escalated case should be answered within a day; the share that is, is a service objective."""


def age(span: timedelta) -> tuple[str, int]:
    """(unit, number): `minutes` below two hours, `hours` below two days, then `days`."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 120:
        return "minutes", minutes
    if minutes < 2 * 24 * 60:
        return "hours", minutes // 60
    return "days", minutes // (24 * 60)


def left(opened_at: datetime, moment: datetime) -> tuple[str, str, int]:
    """(`due` or `late`, unit, number): time until the deadline, or since."""
    rest = opened_at + DEADLINE - moment
    late = rest < timedelta(0)
    return ("late" if late else "due", *age(-rest if late else rest))
