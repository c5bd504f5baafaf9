from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import DataError, OperationalError

from gateway.outbox import claim
from gateway.outbox import settler as settler_module
from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.pause import Pause
from gateway.outbox.settler import Settler
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Message

from .conftest import post, read


def sending(store: Store, count: int) -> list[Message]:
    messages = [post(store) for _ in range(count)]
    with store.transaction() as session:
        claim.claim(session, limit=count, lease=timedelta(minutes=1), now=now())
    return messages


def test_many_results_are_written_and_counted(store: Store) -> None:
    done: list[int] = []
    settler = Settler(store, Pause(), 1.0, done.append)
    messages = sending(store, 40)
    for number, message in enumerate(messages):
        settler.put(message, SendResult(Outcome.SENT, provider_id=f"ATXid_{number}"))
    settler.close()
    settler.run()
    assert sum(done) == 40
    assert {read(store, message).state for message in messages} == {"sent"}


def test_one_that_cannot_be_written_does_not_hold_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad, other = sending(store, 3)
    real = claim.settle

    def refusing(session: object, message_id: int, *rest: object) -> object:
        if message_id == bad.id:
            raise DataError("UPDATE", {}, Exception("too long"))
        return real(session, message_id, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(claim, "settle", refusing)
    done: list[int] = []
    settler = Settler(store, Pause(), 60.0, done.append)
    for message in (good, bad, other):
        settler.put(message, SendResult(Outcome.SENT, provider_id=f"ATXid_{message.id}"))
    settler.close()
    settler.run()
    assert [read(store, message).state for message in (good, bad, other)] == [
        "sent",
        "sending",
        "sent",
    ]
    assert sum(done) == 3


def test_an_end_does_not_wait_for_a_store_that_is_away(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("away"))

    (message,) = sending(store, 1)
    monkeypatch.setattr(claim, "settle", away)
    monkeypatch.setattr(settler_module, "LAST_PATIENCE", 0.0)
    settler = Settler(store, Pause(), 3600.0, lambda _count: None)
    settler.put(message, SendResult(Outcome.SENT, provider_id="ATXid_1"))
    settler.close()
    settler.run()
    assert read(store, message).state == "sending"  # its lease will run out
