"""The doors when too much waits inside."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gateway import outbox
from gateway.app import create_app
from gateway.context import Context
from gateway.people import farmers
from gateway.settings import Settings
from gateway.store.models import Message, Photo
from tests.conftest import CHANNEL_KEY
from tests.support.house import FARMER, OFFICER, kiosk, officer, photo

LIMIT = 2


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A house that takes two of everything, and looks again at each request."""
    monkeypatch.setattr("gateway.jobs.pressure.LOOK_AGAIN", 0.0)
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
    with context.store.reading() as session:
        kept = len(session.scalars(select(Photo.id)).all())
    assert kept == (0 if what == "messages" else LIMIT)
