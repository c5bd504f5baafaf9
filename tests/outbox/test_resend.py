"""A failed message goes out once more for each time that a person sees it fail."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from gateway.outbox.resend import resend
from gateway.store import Store
from gateway.store.base import Unreadable
from gateway.store.models import Event, Message


def message(store: Store, **values: object) -> int:
    fields: dict[str, object] = {
        "key": "k", "direction": "out", "address": "+250788000001", "address_digest": "x",
        "kind": "answer", "text": "It looks like rust.", "state": "failed", "attempts": 5,
        "outcome": "no_route", "priority": 3, "parts": 1, "language": "rw",
    }  # fmt: skip
    with store.transaction() as session:
        row = Message(**(fields | values))
        session.add(row)
        session.flush()
        return row.id


def again(store: Store, id_: int) -> bool:
    with store.transaction() as session:
        return resend(session, id_, by="operator:1")


def test_a_fresh_copy_goes_once(store: Store) -> None:
    id_ = message(store)
    assert again(store, id_)
    assert not again(store, id_)
    with store.reading() as session:
        old, new = session.scalars(select(Message).order_by(Message.id)).all()
        event = session.scalars(select(Event)).one()
    assert (old.state, old.outcome) == ("failed", "resent")
    assert (new.state, new.attempts, new.text) == ("queued", 0, "It looks like rust.")
    assert (new.address, new.kind, new.language) == (old.address, "answer", "rw")
    assert (event.actor, event.data) == ("operator:1", {"message": id_, "outcome": "no_route"})


def test_a_copy_that_failed_can_go_again(store: Store) -> None:
    assert again(store, message(store))
    with store.transaction() as session:
        copy = session.scalars(select(Message).where(Message.state == "queued")).one()
        copy.state = "failed"
    assert again(store, copy.id)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"state": "sent"}, id="it did not fail"),
        pytest.param({"state": "unknown"}, id="perhaps it went"),
        pytest.param({"direction": "in"}, id="it came in"),
        pytest.param({"text": None}, id="its text was deleted"),
        pytest.param({"text": Unreadable()}, id="its text cannot be read"),
        pytest.param({"address": Unreadable()}, id="its number cannot be read"),
        pytest.param({"kind": "from_tomorrow"}, id="a newer program posted it"),
    ],
)
def test_what_is_not_sent_again(store: Store, values: dict[str, object]) -> None:
    assert not again(store, message(store, **values))


def test_an_unknown_number_of_a_message(store: Store) -> None:
    assert not again(store, 4711)
