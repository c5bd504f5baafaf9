"""The phones of the simulated network and what they hold. In memory, for one process."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from gateway.dialogue.ussd.networks import MobileNetwork
from gateway.dialogue.ussd.phone import Call

KEPT_CALLS = 20
"""Newest calls of a phone that can be made a test."""
SHOWN_MESSAGES = 50
"""Newest messages of a phone in its JSON; `messages` gives all."""


@dataclass(frozen=True)
class Sms:
    """One message in a phone. `id` grows with every message of the network."""

    id: int
    direction: Literal["in", "out"]
    phone: str
    other: str
    """Sender ID or short code at the other side."""
    text: str
    at: str
    message_id: str
    """The network's own id, as delivery reports carry it."""


@dataclass
class Session:
    """A USSD session. `path` is everything typed so far."""

    id: str
    code: str
    operator: MobileNetwork
    path: list[str] = field(default_factory=list)
    screen: str = ""
    open: bool = True
    labels: list[str] = field(default_factory=list)
    """What the application called its screens, a label a hop; empty ones too."""
    began: float = field(default_factory=time.monotonic)


@dataclass
class Handset:
    number: str
    name: str = ""
    operator: str = "sandbox"
    """Key of NETWORKS; what is chosen holds from the next call on."""
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=KEPT_CALLS))
    messages: list[Sms] = field(default_factory=list)
    session: Session | None = None
    line: threading.Lock = field(default_factory=threading.Lock)
    """Held while a USSD request is on its way: a phone has one session, one hop at a time."""

    def to_json(self) -> dict[str, Any]:
        session = self.session
        return {
            "number": self.number,
            "name": self.name,
            "operator": self.operator,
            "screen": session.screen if session else "",
            "open": bool(session and session.open),
            "messages": [asdict(sms) for sms in self.messages[-SHOWN_MESSAGES:]],
        }


class Handsets:
    """All phones. A number that is used for the first time gets one."""

    def __init__(self, first: dict[str, str]) -> None:
        """`first`: number to name of the phones that are there from the start."""
        self._first = first
        self._changed = threading.Condition()
        self.reset()

    def reset(self) -> None:
        with self.changing():
            self._phones = {number: Handset(number, name) for number, name in self._first.items()}
            self._last_id = 0

    def all(self) -> list[Handset]:
        with self._changed:
            return list(self._phones.values())

    def get(self, number: str) -> Handset:
        with self._changed:
            return self._phones.setdefault(number, Handset(number))

    def add(self, number: str, name: str, operator: str) -> Handset:
        """A phone, or changes to one that is there; what is empty stays as it is."""
        phone = self.get(number)
        with self.changing():
            phone.name = name or phone.name
            phone.operator = operator or phone.operator
        return phone

    def remove(self, number: str) -> None:
        with self.changing():
            self._phones.pop(number, None)

    def keep(
        self, direction: Literal["in", "out"], number: str, other: str, text: str, message_id: str
    ) -> Sms:
        phone = self.get(number)
        with self.changing():
            self._last_id += 1
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            sms = Sms(self._last_id, direction, number, other, text, at, message_id)
            phone.messages.append(sms)
        return sms

    def messages(self, number: str | None, after: int, wait: float) -> list[Sms]:
        """Messages with an id above `after`, of one phone or of all; waits up to `wait` seconds
        for the first one."""
        deadline = time.monotonic() + wait
        with self._changed:
            while True:
                found = [
                    sms
                    for phone in self._phones.values()
                    if number is None or phone.number == number
                    for sms in phone.messages
                    if sms.id > after
                ]
                left = deadline - time.monotonic()
                if found or left <= 0:
                    return sorted(found, key=lambda sms: sms.id)
                self._changed.wait(left)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change phones; whoever waits for a change looks again."""
        with self._changed:
            yield
            self._changed.notify_all()
