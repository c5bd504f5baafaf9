"""The doors when too much waits inside."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gateway import outbox
from gateway.app import create_app
from gateway.cases import intake
from gateway.channels.mms.fetch import Fetcher
from gateway.context import Context
from gateway.jobs import media, sweeps_media, worker
from gateway.people import farmers
from gateway.settings import Settings
from gateway.store.base import now
from gateway.store.models import Message, Photo
from rig.things import FARMER, OFFICER, kiosk, officer, photo
from tests.channels.mms import test_mm7
from tests.conftest import CHANNEL_KEY

LIMIT = 2


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A house that takes two of everything, and looks again at each request."""
    monkeypatch.setattr("gateway.cases.pressure.LOOK_AGAIN", 0.0)
    app = create_app(settings.model_copy(update={"outbox_limit": LIMIT, "photo_limit": LIMIT}))
    yield app
    app.extensions["leafline"].close()


@pytest.fixture
def context(app: Flask) -> Context:
    context: Context = app.extensions["leafline"]
    return context


@pytest.fixture
def door(app: Flask) -> FlaskClient:
    return app.test_client()


def dial(door: FlaskClient, phone: str, text: str = "", session: str = "ATUid_1") -> str:
    form = {"sessionId": session, "phoneNumber": phone, "serviceCode": "*384*123#", "text": text}
    answer = door.post(f"/africastalking/{CHANNEL_KEY}/ussd", data=form)
    assert answer.status_code == 200
    return answer.text


def fill_outbox(context: Context) -> None:
    with context.store.transaction() as session:
        for number in range(LIMIT):
            outbox.post(session, key=f"k{number}", to=FARMER, text="hello", kind="answer")


def test_a_farmer_who_dials_is_asked_to_come_later(context: Context, door: FlaskClient) -> None:
    begun = dial(door, FARMER, session="ATUid_0")
    assert begun.startswith("CON ")
    with context.store.transaction() as session:
        farmers.set_language(session, farmers.find_or_create(session, FARMER), "fr", by="ussd")
    fill_outbox(context)
    screen = dial(door, FARMER)
    assert screen == f"END {context.catalogue.render('ussd_busy', 'fr')}"
    assert dial(door, FARMER, "1", session="ATUid_0").startswith("CON ")  # who is in stays in
    with context.store.transaction() as session:
        for message in session.scalars(select(Message)):
            message.state = "delivered"
    assert dial(door, FARMER, session="ATUid_2").startswith("CON ")


def test_an_officer_gets_through(context: Context, door: FlaskClient) -> None:
    officer(context.store)
    fill_outbox(context)
    assert dial(door, OFFICER).startswith("CON ")


@pytest.mark.parametrize("what", ["messages", "photos"])
def test_a_kiosk_keeps_its_photo(context: Context, door: FlaskClient, what: str) -> None:
    _, token = kiosk(context.store)

    def upload(shade: int) -> tuple[int, str, str | None]:
        answer = door.post(
            "/api/photos",
            headers={"Authorization": f"Bearer {token}"},
            data={
                "phone": FARMER,
                "crop": "maize",
                "photo": (io.BytesIO(photo(shade)), "leaf.jpg"),
            },
        )
        said = answer.get_json()
        return answer.status_code, said.get("code", ""), answer.headers.get("Retry-After")

    if what == "messages":
        fill_outbox(context)
    else:
        assert [upload(shade)[0] for shade in range(LIMIT)] == [202] * LIMIT
    assert upload(100) == (503, "busy", "120")
    assert kept(context) == (0 if what == "messages" else LIMIT)


def kept(context: Context) -> int:
    with context.store.reading() as session:
        return len(session.scalars(select(Photo.id)).all())


def fill(context: Context, what: str) -> None:
    if what == "messages":
        fill_outbox(context)
        return
    for shade in range(LIMIT):
        upload = intake.Upload(photo(shade), "mms:direct", FARMER)
        intake.accept(context.store, context.photos, upload)


BOTH = pytest.mark.parametrize(("what", "before"), [("messages", 0), ("photos", LIMIT)])


@BOTH
def test_photos_in_a_form_are_to_come_later(
    context: Context, door: FlaskClient, what: str, before: int
) -> None:
    fill(context, what)
    form = {"id": "m1", "from": FARMER, "media": (io.BytesIO(photo(99)), "leaf.jpg")}
    answer = door.post(f"/mms/{CHANNEL_KEY}", data=form)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "120"
    assert kept(context) == before


@BOTH
def test_mm7_is_told_to_come_again(
    context: Context, door: FlaskClient, what: str, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(context, what)
    monkeypatch.setattr(test_mm7, "PICTURE", photo(99))
    content_type, body = test_mm7.request()
    answer = door.post(f"/mm7/{CHANNEL_KEY}", data=body, content_type=content_type)
    assert answer.status_code == 200
    assert b"<StatusCode>4006</StatusCode>" in answer.data
    assert b">T-1</" in answer.data
    assert kept(context) == before


@BOTH
def test_photos_at_an_address_wait_there(
    context: Context, door: FlaskClient, what: str, before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor of this kind would not come again."""
    worker.sit_down(context)
    fill(context, what)
    monkeypatch.setattr(Fetcher, "fetch", lambda _self, _url: photo(99))
    form = {
        "From": FARMER,
        "MessageSid": "MM1",
        "NumMedia": "1",
        "MediaUrl0": "https://m.example/1",
    }
    assert door.post(f"/mms/{CHANNEL_KEY}", data=form).status_code == 204
    for _ in range(media.MAX_ATTEMPTS + 1):
        media.fetch(1)
    assert kept(context) == before
    with context.store.transaction() as session:
        for message in session.scalars(select(Message)):
            message.state = "delivered"
        for waiting in session.scalars(select(Photo)):
            waiting.diagnosed_at = now()
    with time_machine.travel(now() + timedelta(minutes=2)):
        assert sweeps_media.waiting_media(context) == 1
    media.fetch(1)
    assert kept(context) == before + 1
