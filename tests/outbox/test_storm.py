"""A network that misbehaves in many ways at once: nothing lost, nothing doubled, nothing guessed.

Everything is real but the network: senders, store, Redis, webhooks, HTTP.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from gateway.channels.africastalking import webhooks
from gateway.channels.africastalking.client import Client
from gateway.context import Context
from gateway.outbox import decide, pause
from gateway.outbox.network import Outcome
from gateway.outbox.sender import Sender
from gateway.outbox.sweep import sweep
from gateway.store.base import now
from gateway.store.models import DeliveryReport, Message
from rig.mobile import serving, simulator
from simulator.phone import Phone, set_faults
from tests.conftest import CHANNEL_KEY

from .conftest import post

MESSAGES = 60
PATIENCE = 100.0
STORM = [
    {"name": name, "share": 0.07, "seconds": 0.6}
    for name in (
        "http_500",
        "http_500_accepted",
        "timeout_accepted",
        "reset",
        "reset_accepted",
        "cut_json",
        "throttled",
        "status_500",
        "charset",
    )
]


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)


@pytest.mark.parametrize("reports", ["out_of_order", "duplicated", "before_answer"])
def test_every_message_arrives_at_most_once_and_its_state_is_the_truth(
    any_context: Context, monkeypatch: pytest.MonkeyPatch, reports: str
) -> None:
    monkeypatch.setattr(pause, "RESTS", dict.fromkeys(Outcome, (0.05, 0.2)))
    monkeypatch.setattr(decide, "BACKOFF_FIRST", 0.0)
    store = any_context.store

    def count(*where: object) -> int:
        with store.reading() as session:
            query = select(func.count()).select_from(Message).where(*where)  # type: ignore[arg-type]
            return session.scalar(query) or 0

    app = Flask("webhooks")
    app.register_blueprint(webhooks.blueprint(any_context))
    with serving(app) as web, simulator(f"{web}/africastalking/{CHANNEL_KEY}") as network:
        set_faults(network, send=STORM, reports=reports, report_delay=0.01, seed=7)
        client = Client("sandbox", "k", base_url=network, timeout=0.3)
        fast = any_context.settings.model_copy(update={"send_rate": 1000.0})
        context = replace(any_context, settings=fast)
        stop = threading.Event()
        senders = [
            threading.Thread(target=Sender(context, client).run, args=(stop,)) for _ in range(2)
        ]
        numbers = [f"+2507880001{number:02}" for number in range(MESSAGES)]
        for number in numbers:
            post(store, f"for {number}", to=number, kind="reply")
        for thread in senders:
            thread.start()
        try:
            until(lambda: count(Message.state.in_(["queued", "sending"])) == 0)
        finally:
            stop.set()
            for thread in senders:
                thread.join()
        inboxes = {number: Phone(network, number).inbox() for number in numbers}
        taken = sum(len(inbox) for inbox in inboxes.values())

        def reported() -> bool:
            with store.reading() as session:
                ids = session.scalar(select(func.count(DeliveryReport.provider_id.distinct())))
            return ids == taken

        until(reported)

    assert max(len(inbox) for inbox in inboxes.values()) == 1
    with store.transaction() as session:
        sweep(session, now())
    with store.transaction() as session:  # the sweep is safe to run twice
        assert not sweep(session, now())
    with store.reading() as session:
        states = {row.address: row.state for row in session.scalars(select(Message))}
    for number in numbers:
        assert (states[number] == "delivered") == bool(inboxes[number]), (
            number,
            states[number],
            Counter(states.values()),
        )
    assert set(states.values()) == {"delivered", "unknown"}
