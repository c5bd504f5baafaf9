"""A hundred copies of a callback or of an upload, all at once, have one effect."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from gateway.app import create_app
from gateway.context import Context
from gateway.settings import Settings
from gateway.store.models import (
    Base,
    Case,
    DeliveryReport,
    Escalation,
    Event,
    Farmer,
    Message,
    Photo,
    UssdSession,
)
from rig.things import FARMER, kiosk, photo
from tests.conftest import CHANNEL_KEY

COPIES = 100
HOOKS = f"/africastalking/{CHANNEL_KEY}"
SMS = {"from": FARMER, "id": "m1", "text": "STOP", "to": "384", "date": "2026-11-24 06:04:45"}
REPORT = {"id": "ATXid_1", "status": "Success", "phoneNumber": FARMER, "networkCode": "63510"}
EVENT = {"sessionId": "ATUid_1", "status": "Success", "phoneNumber": FARMER, "hopsCount": "3"}
SORRY = "END Sorry"
FIELD = "huye*tumba"
"""Where the field is: district and sector, by their first letters."""
HOP = {"sessionId": "ATUid_1", "serviceCode": "*384*123#", "phoneNumber": FARMER}


@pytest.fixture
def house(settings: Settings, database_url: str) -> Iterator[Flask]:
    app = create_app(settings.model_copy(update={"database_url": database_url}))
    yield app
    app.extensions["leafline"].close()


def at_once(house: Flask, path: str, form: dict[str, object], **options: object) -> set[str]:
    """Post a hundred copies; the different bodies of the answers, each of which was a 2xx."""
    ready = threading.Barrier(COPIES)

    def post(_number: int) -> TestResponse:
        own = {
            name: (io.BytesIO(value), "leaf.jpg") if isinstance(value, bytes) else value
            for name, value in form.items()
        }
        ready.wait(60)
        return house.test_client().post(path, data=own, **options)  # type: ignore[arg-type]

    with ThreadPoolExecutor(COPIES) as pool:
        answers = list(pool.map(post, range(COPIES)))
    assert {answer.status_code // 100 for answer in answers} == {2}
    return {answer.text for answer in answers}


def counts(house: Flask) -> Callable[[type[Base]], int]:
    context: Context = house.extensions["leafline"]

    def count(model: type[Base]) -> int:
        with context.store.reading() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0

    return count


def test_an_incoming_sms(house: Flask) -> None:
    at_once(house, f"{HOOKS}/sms", dict(SMS))
    count = counts(house)
    assert count(Message) == 2  # what came, and the reply
    assert (count(Farmer), count(Event)) == (1, 1)  # one farmer, one opt-out


@pytest.mark.parametrize(
    ("path", "form", "model"),
    [
        ("delivery-reports", REPORT, DeliveryReport),
        ("ussd-events", EVENT, UssdSession),
        ("opt-outs", {"phoneNumber": FARMER}, Event),
    ],
)
def test_what_the_network_tells(
    house: Flask, path: str, form: dict[str, object], model: type[Base]
) -> None:
    at_once(house, f"{HOOKS}/{path}", form)
    assert counts(house)(model) == 1


def test_each_hop_of_a_ussd_session(house: Flask) -> None:
    """From the first dial through consent to the request for an officer."""
    screens = [
        at_once(house, f"{HOOKS}/ussd", HOP | {"text": text})
        for text in ("", "3", "3*1", "3*1*4", f"3*1*4*{FIELD}", f"3*1*4*{FIELD}*1")
    ]
    # On a machine with much else to do some copies give up waiting for the first, and apologise.
    told = [{screen for screen in copies if not screen.startswith(SORRY)} for copies in screens]
    assert [len(different) for different in told] == [1] * 6
    assert told[-1].pop().startswith("END ")
    count = counts(house)
    assert (count(Case), count(Escalation), count(Farmer)) == (1, 1, 1)
    assert count(Message) == 1


def test_a_request_for_an_officer_without_redis(
    house: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock on the session then: the store alone sees that it is one request."""
    for text in ("", "3", "3*1", "3*1*4", f"3*1*4*{FIELD}"):
        house.test_client().post(f"{HOOKS}/ussd", data=HOP | {"text": text})

    def away(*_args: object, **_options: object) -> None:
        raise RedisError

    monkeypatch.setattr("gateway.dialogue.ussd.sessions.Sessions.open", away)
    at_once(house, f"{HOOKS}/ussd", HOP | {"text": f"3*1*4*{FIELD}*1"})
    count = counts(house)
    assert (count(Case), count(Escalation)) == (1, 1)


def test_an_upload(house: Flask) -> None:
    context: Context = house.extensions["leafline"]
    _, token = kiosk(context.store)
    fields = {"phone": FARMER, "crop": "maize", "client_id": "u1", "photo": photo()}
    headers = {"Authorization": f"Bearer {token}"}
    bodies = at_once(house, "/api/photos", fields, headers=headers)
    assert len(bodies) == 2  # accepted, and accepted before
    count = counts(house)
    assert (count(Case), count(Photo), count(Farmer)) == (1, 1, 1)
    assert list(context.photo_queue.job_ids) == ["photo-1"]
