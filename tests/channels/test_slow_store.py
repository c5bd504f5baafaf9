"""The doors of the mobile network while the store hangs: a really held lock, a stopped server."""

from __future__ import annotations

import io
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from flask.testing import FlaskClient
from sqlalchemy import make_url, select

from gateway.app import create_app
from gateway.context import Context
from gateway.people import officer_links
from gateway.settings import Settings
from gateway.spool import Spool
from gateway.store.models import Message
from rig.house import wait_until
from rig.servers import Postgres
from rig.things import FARMER, kiosk, photo
from tests.channels.africastalking.test_spooled import form_of
from tests.channels.africastalking.test_webhooks import PATHS, SMS, USSD, post
from tests.conftest import settings_for

HOP_SECONDS = 7.0
"""The store has one, connecting anew two; the rest is for a busy machine. Without an end it is
the ten seconds of SQLite's lock, or a minute."""
CALLBACK_SECONDS = 9.0


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@contextmanager
def client_of(settings: Settings) -> Iterator[FlaskClient]:
    app = create_app(settings)
    try:
        yield app.test_client()
    finally:
        app.extensions["leafline"].close()


def texts(client: FlaskClient) -> list[str | None]:
    context: Context = client.application.extensions["leafline"]
    with context.store.reading() as session:
        query = select(Message.text).where(Message.direction == "in").order_by(Message.id)
        return list(session.scalars(query))


def spool_of(client: FlaskClient) -> Spool:
    context: Context = client.application.extensions["leafline"]
    return Spool(context.settings.spool, context.store.vault)


@contextmanager
def held_lock(settings: Settings) -> Iterator[None]:
    path = str(make_url(settings.store_url).database)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_a_held_lock_holds_no_session_up(client: FlaskClient, settings: Settings) -> None:
    with held_lock(settings):
        with within(HOP_SECONDS):
            assert post(client, "/ussd", USSD).text.startswith("CON ")  # only reads
        with within(HOP_SECONDS):
            assert post(client, "/ussd", USSD, text="3").text.startswith("CON ")  # the language
        with within(HOP_SECONDS):
            screen = post(client, "/ussd", USSD, text="3*1").text  # consent must be written
        assert screen.startswith("END Sorry")
    assert post(client, "/ussd", USSD, sessionId="ATUid_2", text="3*1").text.startswith("CON ")


def test_callbacks_are_kept_while_a_lock_is_held(client: FlaskClient, settings: Settings) -> None:
    with held_lock(settings):
        for path in PATHS[1:]:
            with within(CALLBACK_SECONDS):
                assert post(client, path, form_of(path)).status_code == 200
    wait_until(lambda: not spool_of(client).waits(), "the spool to be taken in")
    assert texts(client) == [SMS["text"]]


def test_a_kiosk_keeps_its_photo_while_a_lock_is_held(
    client: FlaskClient, settings: Settings
) -> None:
    context: Context = client.application.extensions["leafline"]
    _, token = kiosk(context.store)
    with held_lock(settings), within(12.0):
        answer = client.post(
            "/api/photos",
            headers={"Authorization": f"Bearer {token}"},
            data={"phone": FARMER, "crop": "maize", "photo": (io.BytesIO(photo()), "leaf.jpg")},
        )
    assert (answer.status_code, answer.get_json()["code"]) == (503, "store_away")


def test_a_stopped_server(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: Postgres,
    postgres_url: str,
    redis_url: str,
) -> None:
    settings = settings_for(tmp_path_factory.mktemp("stopped"), postgres_url, redis_url)
    with client_of(settings) as client:
        assert post(client, "/ussd", USSD).text.startswith("CON ")
        with postgres.stopped():
            with within(HOP_SECONDS):
                assert post(client, "/ussd", USSD, text="3").text.startswith(("CON ", "END Sorry"))
            for _ in range(2):  # consent must be written
                with within(HOP_SECONDS):
                    assert post(client, "/ussd", USSD, text="3*1").text.startswith("END Sorry")
            for path in PATHS[1:]:
                with within(CALLBACK_SECONDS):
                    assert post(client, path, form_of(path)).status_code == 200
            with within(HOP_SECONDS):
                assert client.get("/health/ready").status_code == 503
            page = client.get(f"{officer_links.PATH}token", headers={"Accept": "text/html"})
            assert (page.status_code, "Retry-After" in page.headers) == (503, True)
        wait_until(lambda: client.get("/health/ready").status_code == 200, "it to be well again")
        wait_until(lambda: not spool_of(client).waits(), "the spool to be taken in")
        assert spool_of(client).failed() == 0
        assert texts(client) == [SMS["text"]]
        screen = post(client, "/ussd", USSD, sessionId="ATUid_2").text
        assert screen.startswith("CON ")
