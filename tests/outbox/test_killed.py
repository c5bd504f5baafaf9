"""Real sender processes, killed and stopped for real, against the simulated network."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from gateway.outbox import reports
from gateway.outbox.reports import Report
from gateway.outbox.sweep import sweep
from gateway.store import Store
from gateway.store.base import now
from rig.mobile import Listener, serving, simulator
from simulator.phone import Phone, set_faults
from tests.conftest import SECRET

from .conftest import PHONE, post, read

SOON = 90.0
"""A process needs long to start where every core is busy."""
LEASE = timedelta(minutes=3)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def network(listener: Listener) -> Iterator[str]:
    with serving(listener.app) as base, simulator(base) as address:
        yield address


@pytest.fixture
def start(
    database_url: str, redis_url: str, network: str, tmp_path: object
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start a sender process; all that still run are killed at the end."""
    environment = os.environ | {
        "LEAFLINE_HOME": f"{tmp_path}/var",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "LEAFLINE_SECRET_KEY": SECRET,
        "LEAFLINE_AT_BASE_URL": network,
        "LEAFLINE_AT_TIMEOUT": "60",
        "LEAFLINE_SEND_RATE": "100",
    }
    with ExitStack() as stack:

        def begin() -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "gateway", "sender"]
            process = subprocess.Popen(command, env=environment)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield begin


def test_a_sender_killed_between_request_and_answer_sends_nothing_twice(
    store: Store,
    start: Callable[[], subprocess.Popen[bytes]],
    network: str,
    listener: Listener,
) -> None:
    phone = Phone(network, PHONE)
    set_faults(network, send=[{"name": "timeout_accepted", "times": 1, "seconds": 60}])
    first = post(store, "the first")
    victim = start()
    phone.wait_for_sms("the first", timeout=SOON)  # taken; the answer is still to come
    victim.send_signal(signal.SIGKILL)
    victim.wait()

    second = post(store, "the second")
    heir = start()
    phone.wait_for_sms("the second", timeout=SOON)
    heir.send_signal(signal.SIGTERM)
    assert heir.wait(SOON) == 0
    assert read(store, first).state == "sending"
    assert read(store, second).state == "sent"
    assert [sms.text for sms in phone.inbox()] == ["the first", "the second"]

    with store.transaction() as session:  # when the lease has run out, and after a report
        sweep(session, now() + LEASE)
    assert read(store, first).state == "unknown"
    for _ in range(2):
        form = listener.next("delivery-reports")
        with store.transaction() as session:
            report = Report(form["id"], form["status"], "delivered", phone=form["phoneNumber"])
            reports.receive(session, report)
    with store.transaction() as session:
        assert sweep(session, now() + LEASE) == {"fate_reported": 1}
    assert read(store, first).state == read(store, second).state == "delivered"


def test_a_sender_told_to_stop_finishes_what_is_in_flight(
    store: Store, start: Callable[[], subprocess.Popen[bytes]], network: str
) -> None:
    set_faults(network, send=[{"name": "slow", "times": 1, "seconds": 2}])
    message = post(store, "slow one")
    sender = start()
    Phone(network, PHONE).wait_for_sms("slow one", timeout=SOON)
    sender.send_signal(signal.SIGTERM)
    assert sender.wait(SOON) == 0
    assert read(store, message).state == "sent"


def test_a_network_that_throttles_costs_no_message(
    store: Store, start: Callable[[], subprocess.Popen[bytes]], network: str
) -> None:
    set_faults(network, send=[{"name": "throttled", "times": 4}])
    messages = [post(store, f"message {number}") for number in range(3)]
    start()
    phone = Phone(network, PHONE)
    for number in range(3):
        phone.wait_for_sms(f"message {number}", timeout=SOON)
    assert len(phone.inbox()) == len(messages)
