"""What may not be told of a case after what, and where a farmer was told it all the same."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

WITH_OFFICER = ("ussd_case_with_officer", "words_passed")
WAITING = ("photo_received", "case_waiting")
PROMISE = ("promise_call", "promise_visit")
AFTER: Mapping[str, tuple[str, ...]] = {
    "no_officer": WITH_OFFICER,
    "promise_call": ("ussd_case_with_officer", "escalation_farmer", *WAITING),
    "promise_visit": ("ussd_case_with_officer", "escalation_farmer", *WAITING),
    "officer_closing": (*WITH_OFFICER, *WAITING, "ussd_case_promised_visit"),
}
"""What may not be said of a case after what, until something else was said of it."""
NEWS = (
    *PROMISE, "no_officer", "escalation_farmer", "promise_passed", "officer_closing",
    "officer_undone",
)  # fmt: skip
"""Texts that tell a farmer how her case stands; the last of them is what holds."""


@dataclass(frozen=True)
class Told:
    """One text that a phone got or sent. `day`: that a promise named."""

    at: datetime
    phone: str
    text: str
    template: str = ""
    case: str = ""
    sent: bool = False
    """By the phone."""


def contradictions(told: Sequence[Told]) -> list[str]:
    """What one farmer was told of a case against what she had been told before it."""
    found: list[str] = []
    stands: dict[str, Told] = {}
    stopped = False
    for one in told:
        if one.sent or not one.template:
            continue
        stopped = one.template == "optout_confirm" or (stopped and one.template != "optin_confirm")
        before = stands.get(one.case)
        # Of a day that has gone by nobody is told any more that it is to come; and who wants no
        # messages was not told what happened since.
        holds = before is not None and not stopped and not _gone_by(before, one.at)
        if before is not None and holds and one.template in AFTER.get(before.template, ()):
            found.append(f"{one.phone}: {before.text!r}, and then {one.text!r}")
        day = _day(one)
        again = day and one.template not in PROMISE and holds
        if before is not None and again and _day(before) not in ("", day):
            found.append(f"{one.phone}: {before.text!r}, and then {one.text!r}")
        if one.case and one.template in NEWS:
            stands[one.case] = one
    return found


def _day(told: Told) -> str:
    found = re.search(r"\d\d/\d\d/\d{4}", told.text) if "promise" in told.template else None
    return found[0] if found else ""


def _gone_by(told: Told, moment: datetime) -> bool:
    day = _day(told)
    return bool(day) and moment > datetime.strptime(day, "%d/%m/%Y").replace(tzinfo=UTC)
