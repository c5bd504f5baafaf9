"""Both providers for real: a sender process, the simulated network, an SMS gateway over HTTP."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from sqlalchemy import select

from gateway import outbox
from gateway.context import Context
from gateway.settings import Settings
from gateway.store.models import Incident, Message
from rig.house import wait_until
from rig.mobile import Listener, serving, simulator
from simulator.phone import Phone, set_faults
from tests.conftest import CHANNEL_KEY, SECRET

PHONE = "+250788000001"
SOON = 90.0
"""A process needs long to start where every core is busy."""


class Gateway:
    """Takes every message, and keeps the form that it came in."""

    def __init__(self) -> None:
        self.taken: queue.Queue[dict[str, str]] = queue.Queue()
        self.app = Flask("gateway")
        self.app.add_url_rule("/send", "send", self._send)

    def _send(self) -> Response:
        self.taken.put(request.args.to_dict())
        return Response("0: Accepted for delivery", 202)


@pytest.fixture
def gateway() -> Iterator[tuple[Gateway, str]]:
    gateway = Gateway()
    with serving(gateway.app) as url:
        yield gateway, url


@pytest.fixture
def network() -> Iterator[str]:
    with serving(Listener().app) as base, simulator(base) as address:
        yield address


@pytest.fixture
def sender(
    settings: Settings, context: Context, network: str, gateway: tuple[Gateway, str]
) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {
        "LEAFLINE_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "LEAFLINE_SECRET_KEY": SECRET,
        "LEAFLINE_CHANNEL_KEYS": CHANNEL_KEY,
        "LEAFLINE_PROVIDERS": "africastalking,http_gateway",
        "LEAFLINE_FALLBACK_AFTER": "0",
        "AT_API_KEY": "a-key-for-tests",
        "LEAFLINE_AT_BASE_URL": network,
        "LEAFLINE_HTTP_GATEWAY_URL": f"{gateway[1]}/send",
        "LEAFLINE_HTTP_GATEWAY_PASSWORD": "a password for tests",
    }
    set_faults(network, send=[{"name": "wrong_key", "times": 1000}])
    with context.store.transaction() as session:
        for number in range(3):
            outbox.post(session, key=f"k{number}", to=PHONE, text=f"text {number}", kind="answer")
    command = [sys.executable, "-m", "gateway", "sender"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        yield process
        process.kill()


def rows(context: Context) -> list[tuple[str | None, str]]:
    with context.store.reading() as session:
        query = select(Message.provider, Message.state).where(Message.direction == "out")
        return [(provider, state) for provider, state in session.execute(query)]


def test_the_second_takes_what_the_first_refuses(
    client: FlaskClient,
    context: Context,
    network: str,
    gateway: tuple[Gateway, str],
    sender: subprocess.Popen[bytes],
) -> None:
    forms = [gateway[0].taken.get(timeout=SOON) for _ in range(3)]
    assert {form["text"] for form in forms} == {f"text {number}" for number in range(3)}
    wait_until(lambda: rows(context) == [("http_gateway", "sent")] * 3, "the answers to be kept")
    with context.store.reading() as session:
        causes = session.scalars(select(Incident.cause)).all()
    assert [cause for cause in causes if cause.startswith("channel:")] == ["channel:wrong_key"]
    for form in forms:  # the report comes to the address that went along
        report = urlsplit(form["dlr-url"])
        query = report.query.replace("%d", "1").replace("%p", "%2B250788000001")
        assert client.get(f"{report.path}?{query}").status_code == 200
    assert rows(context) == [("http_gateway", "delivered")] * 3
    assert Phone(network, PHONE).inbox() == []

    sender.send_signal(signal.SIGTERM)
    said = sender.communicate(timeout=SOON)[1].decode()
    assert sender.returncode == 0
    for secret in (CHANNEL_KEY, "a-key-for-tests", "a password for tests", PHONE, "text 1"):
        assert secret not in said
