from __future__ import annotations

import itertools
import queue
from collections.abc import Callable

import pytest
from sqlalchemy import select

from gateway import outbox
from gateway.outbox.network import Outcome, SendResult
from gateway.store import Store
from gateway.store.models import Message

PHONE = "+250788000001"
_numbers = itertools.count(1)


class Carrier:
    """The mobile network's double: answers by a script, then always with `sent`."""

    longest_request = 30.0

    def __init__(self, name: str = "africastalking") -> None:
        self.name = name
        self.calls: queue.Queue[tuple[str, str]] = queue.Queue()
        self.script: list[SendResult | Callable[[], SendResult]] = []
        self._ids = itertools.count(1)

    def send(self, to: str, text: str) -> SendResult:
        answer = self.script.pop(0) if self.script else self.taken()
        result = answer() if callable(answer) else answer
        self.calls.put((to, text))
        return result

    def taken(self) -> SendResult:
        return SendResult(Outcome.SENT, provider_id=f"ATXid_{next(self._ids)}")


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


def post(store: Store, text: str = "hello", **options: object) -> Message:
    """Post a message and return its row."""
    given = {"key": f"key:{next(_numbers)}", "to": PHONE, "text": text, "kind": "answer"} | options
    with store.transaction() as session:
        assert outbox.post(session, **given)  # type: ignore[arg-type]
        return session.scalars(select(Message).where(Message.key == given["key"])).one()


def read(store: Store, message: Message) -> Message:
    with store.reading() as session:
        return session.get_one(Message, message.id)


@pytest.fixture
def states(store: Store) -> Callable[[], list[str]]:
    def all_states() -> list[str]:
        with store.reading() as session:
            return list(session.scalars(select(Message.state).order_by(Message.id)))

    return all_states
