"""The kinds of message that leave, and how each is treated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What a message is for."""

    ESCALATION = "escalation"
    """To an officer or the operator: a case or an incident waits for a person."""
    ANSWER = "answer"
    """To a farmer: what a person or the machine says of the plant."""
    REPLY = "reply"
    """To whoever just wrote or dialled."""
    NOTICE = "notice"
    """Something happened that nobody asked about."""
    REMINDER = "reminder"


@dataclass(frozen=True, slots=True)
class Policy:
    """How a kind is treated.

    `priority`: smaller goes first. `twice`: after an unknown fate, twice is better than never.
    `unasked`: withheld from a farmer who opted out. `lifetime`: older ones are not sent any more.
    """

    priority: int
    twice: bool
    unasked: bool
    lifetime: timedelta


POLICY: Mapping[str, Policy] = {
    Kind.ESCALATION: Policy(1, twice=True, unasked=False, lifetime=timedelta(days=2)),
    Kind.ANSWER: Policy(3, twice=True, unasked=False, lifetime=timedelta(days=3)),
    Kind.REPLY: Policy(4, twice=False, unasked=False, lifetime=timedelta(hours=6)),
    Kind.NOTICE: Policy(5, twice=False, unasked=True, lifetime=timedelta(days=1)),
    Kind.REMINDER: Policy(7, twice=False, unasked=True, lifetime=timedelta(hours=12)),
}
"""What is not in here was posted by a newer program, and is not sent by this one."""
