"""A message out, its report and an SMS in, through a real Kannel."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from gateway import outbox
from gateway.channels import providers
from gateway.context import Context
from gateway.outbox.network import Outcome
from gateway.outbox.sender import Sender
from gateway.settings import Settings
from gateway.store.models import Message
from rig import kannel as rig
from rig.house import wait_until
from rig.mobile import serving
from tests.conftest import CHANNEL_KEY

PHONE = "+250788000001"
TEXT = "Muraho! é è & 100% {x} +"
SOON = 30.0


def test_out_back_and_in(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context: Context = app.extensions["leafline"]
    with serving(app) as web:
        try:
            with rig.kannel(tmp_path, f"{web}/http-gateway/{CHANNEL_KEY}/") as (url, network):
                for name, value in {
                    "URL": url, "USER": rig.USER, "PASSWORD": rig.PASSWORD, "CALLBACK_URL": web,
                }.items():  # fmt: skip
                    monkeypatch.setenv(f"LEAFLINE_HTTP_GATEWAY_{name}", value)
                chosen = settings.model_copy(
                    update={"providers": ("http_gateway",), "short_code": rig.SHORT_CODE}
                )
                _through(context, chosen, network, monkeypatch)
        except rig.Absent as error:
            pytest.skip(str(error))


def _through(
    context: Context, chosen: Settings, network: rig.Network, patch: pytest.MonkeyPatch
) -> None:
    network.write(PHONE, "HELP")
    wait_until(lambda: _rows(context, "in"), "the SMS to come in")
    assert [(row.provider, row.address, row.text) for row in _rows(context, "in")] == [
        ("http_gateway", PHONE, "HELP")
    ]
    with context.store.transaction() as session:
        outbox.post(session, key="k", to=PHONE, text=TEXT, kind="answer")

    (half,) = providers.networks(chosen)
    stop = threading.Event()
    sender = threading.Thread(target=Sender(context, half).run, args=(stop,))
    sender.start()
    try:
        heard = {network.delivered.get(timeout=SOON) for _ in _rows(context, "out")}
        assert f"{rig.SHORT_CODE} {PHONE} text {TEXT}" in heard
        wait_until(lambda: {row.state for row in _rows(context, "out")} == {"delivered"}, "reports")
    finally:
        stop.set()
        sender.join(SOON)
    assert {row.provider for row in _rows(context, "out")} == {"http_gateway"}

    patch.setenv("LEAFLINE_HTTP_GATEWAY_PASSWORD", "another")
    (half,) = providers.networks(chosen)
    refused = half.send(PHONE, "hello")
    assert (refused.outcome, refused.reason) == (Outcome.CHANNEL_DOWN, "wrong_key")


def _rows(context: Context, direction: str) -> list[Message]:
    with context.store.reading() as session:
        query = select(Message).where(Message.direction == direction).order_by(Message.id)
        return list(session.scalars(query))
