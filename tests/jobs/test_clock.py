"""The clock is set back by an hour: nothing waits for the old hour to come again."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from sqlalchemy import select

from gateway import outbox
from gateway.cases import queue
from gateway.context import Context
from gateway.jobs import sweeps, sweeps_messages
from gateway.outbox import claim
from gateway.store.base import now
from gateway.store.models import Message, Photo
from rig.things import FARMER
from tests.jobs.test_waiting_photos import accept, on_queue

HOUR = timedelta(hours=1)


def post(context: Context, key: str) -> None:
    with context.store.transaction() as session:
        outbox.post(session, key=key, to=FARMER, text=key, kind="answer")


def test_a_photo_that_redis_lost(any_context: Context) -> None:
    photo_id = accept(any_context)
    with any_context.store.transaction() as session:
        row = session.get_one(Photo, photo_id)
        row.attempts, row.failed_at = 1, now()
    with time_machine.travel(now() - HOUR):
        assert sweeps.waiting_photos(any_context) == 1
    assert on_queue(any_context) == [f"photo-{photo_id}"]
    assert queue.standing(any_context.photo_queue).held == {photo_id}


def test_messages_that_waited(any_context: Context) -> None:
    for key in ("queued", "sending", "unknown"):
        post(any_context, key)
    with any_context.store.transaction() as session:
        for row in session.scalars(select(Message)):
            row.state = row.key
            row.lease_until = now() + timedelta(minutes=1) if row.key == "sending" else None
            minutes = {"queued": 1, "unknown": 9}.get(row.key, 0)  # backing off, waiting
            row.not_before = now() + timedelta(minutes=minutes)
    early = now() - HOUR
    with time_machine.travel(early, tick=False):
        post(any_context, "new")
        assert sweeps_messages.clock_set_back(any_context) == 3
        assert sweeps_messages.clock_set_back(any_context) == 0
        with any_context.store.transaction() as session:
            due = claim.claim(session, limit=9, lease=timedelta(minutes=1), now=now())
            assert {message.key for message in due} == {"queued", "new"}
    with any_context.store.reading() as session:
        waits = {row.key: row for row in session.scalars(select(Message))}
        assert waits["unknown"].not_before - early < timedelta(minutes=11)
        lease = waits["sending"].lease_until
        assert lease is not None
        assert lease - early < timedelta(minutes=11)


def test_messages_that_are_to_wait_are_left_alone(context: Context) -> None:
    post(context, "later")
    with context.store.transaction() as session:
        session.scalars(select(Message)).one().not_before = now() + HOUR
    assert sweeps_messages.clock_set_back(context) == 0
