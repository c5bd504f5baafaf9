"""The sender on real stores and a real Redis; only the network is a double."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from gateway.context import Context
from gateway.outbox import claim, pause, sweep, wake
from gateway.outbox import sender as sender_module
from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.sender import Lane, Sender
from gateway.store.models import Incident, Message

from .conftest import Carrier, post, read

SOON = 10.0


@contextmanager
def running(context: Context, *carriers: Carrier, senders: int = 1) -> Iterator[None]:
    """Senders at work; at the end they have finished what they had begun."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=Sender(context, *carriers).run, args=(stop,))
        for _ in range(senders)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(SOON)
            assert not thread.is_alive()


def test_a_posted_message_is_sent_once(any_context: Context, carrier: Carrier) -> None:
    with running(any_context, carrier):
        message = post(any_context.store, "hello")
        assert carrier.calls.get(timeout=SOON) == (message.address, "hello")
    assert carrier.calls.empty()
    assert read(any_context.store, message).state == "sent"


def test_three_senders_send_forty_messages_forty_times(
    any_context: Context, carrier: Carrier, states: Callable[[], list[str]]
) -> None:
    for number in range(40):
        post(any_context.store, f"text {number}")
    fast = any_context.settings.model_copy(update={"send_rate": 1000.0})
    with running(_with(any_context, fast), carrier, senders=3):
        texts = [carrier.calls.get(timeout=SOON)[1] for _ in range(40)]
    assert sorted(texts) == sorted(f"text {number}" for number in range(40))
    assert states() == ["sent"] * 40


def test_a_commit_wakes_the_sender_long_before_it_would_look_by_itself(
    context: Context, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = context.redis.from_url(context.settings.queue_url)
    wake.install(context.store, context.redis)
    monkeypatch.setattr(sender_module, "POLL_SECONDS", 60.0)
    with running(_with(context, redis=patient), carrier):
        post(context.store)
        carrier.calls.get(timeout=SOON)
        wake_up = patient.rpush(wake.KEY, 1)  # let it see that it has to stop
        assert wake_up
    patient.close()


def test_an_error_of_ours_while_sending_is_not_sent_again(
    any_context: Context, carrier: Carrier
) -> None:
    called = threading.Event()

    def broken() -> SendResult:
        called.set()
        raise RuntimeError("a bug")

    carrier.script = [broken]
    message = post(any_context.store)
    with running(any_context, carrier):
        assert called.wait(SOON)
    assert read(any_context.store, message).state == "sending"  # its lease will run out


def test_a_refused_attempt_is_tried_again(any_context: Context, carrier: Carrier) -> None:
    carrier.script = [SendResult(Outcome.RETRYABLE, "provider_error")]
    message = post(any_context.store)
    with running(any_context, carrier):
        carrier.calls.get(timeout=SOON)
        carrier.calls.get(timeout=SOON)
    row = read(any_context.store, message)
    assert (row.state, row.attempts) == ("sent", 1)


def test_without_credit_nothing_is_burnt_and_a_person_is_called(
    any_context: Context, carrier: Carrier, states: Callable[[], list[str]]
) -> None:
    carrier.script = [SendResult(Outcome.CHANNEL_DOWN, "no_credit")] * 8
    for _ in range(20):
        post(any_context.store)
    with running(any_context, carrier):
        carrier.calls.get(timeout=SOON)
    assert carrier.calls.qsize() < 8  # those in flight, then it rests
    assert states() == ["queued"] * 20
    with any_context.store.reading() as session:
        assert session.scalars(select(Incident.cause)).all() == ["channel:no_credit"]
        assert set(session.scalars(select(Message.attempts))) == {0}


def test_after_a_rest_one_message_goes_ahead_alone(
    any_context: Context, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that takes messages and never answers would else lose eight at a time."""
    monkeypatch.setattr(pause, "RESTS", dict.fromkeys(Outcome, (0.05, 0.05)))
    probing, probed, rounds = threading.Event(), threading.Event(), threading.Semaphore(0)
    real = Lane._round

    def counted(*args: Any) -> None:
        real(*args)
        if probing.is_set():
            rounds.release()

    monkeypatch.setattr(Lane, "_round", counted)
    beside: list[int] = []

    def probe() -> SendResult:
        for _ in range(5):
            post(any_context.store)
        probing.set()
        for _ in range(8):
            assert rounds.acquire(timeout=SOON)
        beside.append(carrier.calls.qsize())
        probed.set()
        return carrier.taken()

    carrier.script = [SendResult(Outcome.CHANNEL_DOWN, "no_credit"), probe]
    post(any_context.store)
    with running(any_context, carrier):
        assert probed.wait(10 * SOON)
        for _ in range(7):
            carrier.calls.get(timeout=SOON)
    assert beside == [1]  # the refused one


def test_the_incident_closes_by_itself_when_messages_leave_again(
    any_context: Context, carrier: Carrier
) -> None:
    carrier.script = [SendResult(Outcome.CHANNEL_DOWN, "no_credit")]
    post(any_context.store)
    with running(any_context, carrier):
        carrier.calls.get(timeout=SOON)
    with running(any_context, carrier):  # a new sender asks at once
        carrier.calls.get(timeout=SOON)
    with any_context.store.reading() as session:
        assert session.scalars(select(Incident)).one().closed_at is not None


def test_a_poisoned_message_does_not_block_the_others(
    any_context: Context, carrier: Carrier
) -> None:
    carrier.script = [SendResult(Outcome.RETRYABLE, "gateway_error")] * 1
    poisoned = post(any_context.store, "poison", kind="escalation")
    good = post(any_context.store, "good", kind="reminder")
    with running(any_context, carrier):
        texts = {carrier.calls.get(timeout=SOON)[1], carrier.calls.get(timeout=SOON)[1]}
    assert texts == {"poison", "good"}
    assert read(any_context.store, good).state == "sent"
    assert read(any_context.store, poisoned).state in ("queued", "sent")


def test_the_lease_outlives_every_request(context: Context, carrier: Carrier) -> None:
    carrier.longest_request = 120.0
    (lane,) = Sender(context, carrier)._lanes
    assert timedelta(seconds=120) < lane.lease <= sweep.LONGEST_LEASE
    carrier.longest_request = 600.0
    with pytest.raises(ValueError, match="no request may take"):
        Sender(context, carrier)


def test_without_redis_messages_leave_all_the_same(any_context: Context, carrier: Carrier) -> None:
    nowhere = Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 0))
    with running(_with(any_context, redis=nowhere), carrier):
        message = post(any_context.store)
        carrier.calls.get(timeout=SOON)
    assert read(any_context.store, message).state == "sent"


def test_a_store_that_was_away_for_a_moment_loses_no_answer(
    any_context: Context, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = claim.settle, [OperationalError("UPDATE", {}, Exception("away"))] * 2

    def flaky(*args: Any) -> Message | None:
        if failures:
            raise failures.pop()
        return real(*args)

    monkeypatch.setattr(claim, "settle", flaky)
    message = post(any_context.store)
    with running(any_context, carrier):
        carrier.calls.get(timeout=SOON)
    assert not failures
    assert read(any_context.store, message).state == "sent"


def _with(context: Context, settings: object = None, redis: object = None) -> Context:
    changes = {"settings": settings, "redis": redis}
    return replace(context, **{name: value for name, value in changes.items() if value})  # type: ignore[arg-type]
