"""Messages that this program cannot send: another key sealed them, or a newer program posted them.

Each ends where a person sees it, and stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from gateway.context import Context
from gateway.outbox import claim, sweep, trouble
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Incident, Message
from gateway.store.vault import Vault

from .conftest import Carrier, post, read
from .test_sender import SOON, running

OTHER = Vault("a key that was in use before, long enough to be one")
Spoil = Callable[[Store, Message], None]


def reseal(column: str) -> Spoil:
    """Seal one column of a message with another key."""

    def spoil(store: Store, message: Message) -> None:
        change = text(f"UPDATE message SET {column} = :sealed WHERE id = :id")
        with store.transaction() as session:
            sealed = OTHER.seal_text("+250788000001")
            session.execute(change, {"sealed": sealed, "id": message.id})

    return spoil


def from_tomorrow(store: Store, message: Message) -> None:
    with store.transaction() as session:
        session.execute(
            update(Message).where(Message.id == message.id).values(kind="from_tomorrow")
        )


FOREIGN = pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        pytest.param(reseal("address"), "unreadable", id="number"),
        pytest.param(reseal("text"), "unreadable", id="text"),
        pytest.param(from_tomorrow, "unknown_kind", id="kind"),
    ],
)


@FOREIGN
def test_it_ends_before_a_persons_eyes_and_the_others_go(
    any_context: Context, carrier: Carrier, spoil: Spoil, outcome: str
) -> None:
    store = any_context.store
    foreign = post(store, "foreign", priority=0)
    spoil(store, foreign)
    good = post(store, "good")
    with running(any_context, carrier):
        assert carrier.calls.get(timeout=SOON) == (good.address, "good")
    assert carrier.calls.empty()
    assert read(store, good).state == "sent"
    row = read(store, foreign)
    assert (row.state, row.outcome) == ("failed", outcome)
    assert row.final_at is not None
    with store.transaction() as session:
        trouble.watch(session, now())
        incident = session.scalars(select(Incident)).one()
        assert (incident.cause, incident.detail.split(": ")[1]) == (trouble.FAILED, outcome)


@FOREIGN
def test_one_that_was_in_flight_ends_too(store: Store, spoil: Spoil, outcome: str) -> None:
    """Claimed by a program that could read it, which died."""
    foreign, good = post(store, kind="reply"), post(store, kind="reply")
    with store.transaction() as session:
        claim.claim(session, limit=2, lease=timedelta(minutes=1), now=now())
    spoil(store, foreign)
    for after in (timedelta(minutes=2), timedelta(minutes=20)):
        with store.transaction() as session:
            sweep.sweep(session, now() + after)
    for message in (foreign, good):
        row = read(store, message)
        assert (row.state, row.outcome) == ("failed", "fate_unknown")
