"""NUL, halves of surrogate pairs and line ends, at every door and in the store itself."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from gateway import words
from gateway.app import create_app
from gateway.people import kiosks
from gateway.settings import Settings
from gateway.store import Store
from gateway.store.models import Event, Kiosk, Photo
from rig import things
from tests.conftest import CHANNEL_KEY, settings_for

NUL = "Jo\0se"


@pytest.mark.parametrize(
    ("given", "clean", "line"),
    [
        ("plain", "plain", "plain"),
        ("a\0b", "ab", "ab"),
        ("é\0\ud800x", "éx", "éx"),
        ("two\r\nlines\u2028three", "two\r\nlines\u2028three", "two lines three"),
        ("\u202eevil\x1b[0m", "\u202eevil\x1b[0m", "evil[0m"),
        ("  ", "  ", ""),
    ],
)
def test_what_is_left_of_a_text(given: str, clean: str, line: str) -> None:
    assert (words.clean(given), words.line(given)) == (clean, line)


def test_the_store_takes_any_text(store: Store) -> None:
    with store.transaction() as session:
        kiosks.add(session, f"K{NUL}\ud800", "Rwa\0magana")
        session.add(Event(kind="te\0st", actor="x", data={"said": "a\0b"}))
        session.execute(text("UPDATE kiosk SET opening = :o"), [{"o": "Mo\0n"}])
    with store.reading() as session:
        kiosk = session.scalars(select(Kiosk).where(Kiosk.name == "KJo\0se")).one()
        assert (kiosk.name, kiosk.area, kiosk.opening) == ("KJose", "Rwamagana", "Mon")


@pytest.fixture
def doors(database_url: str, redis_url: str, tmp_path) -> Iterator[FlaskClient]:  # type: ignore[no-untyped-def]
    app = create_app(settings_for(tmp_path, database_url, redis_url))
    yield app.test_client()
    app.extensions["leafline"].close()


def upload(client: FlaskClient, client_id: str, **headers: str) -> int:
    store: Store = client.application.extensions["leafline"].store
    with store.transaction() as session:
        _, token = kiosks.add(session, "K", "Rwamagana")
    fields = {"phone": things.FARMER, "crop": "maize", "place": NUL, "client_id": client_id}
    answer = client.post(
        "/api/photos",
        data={**fields, "photo": (io.BytesIO(things.photo()), "x\0.jpg")},
        headers={"Authorization": f"Bearer {token}", **headers},
    )
    return answer.status_code


def test_no_text_field_of_any_door_is_an_error_of_ours(doors: FlaskClient) -> None:
    key = CHANNEL_KEY
    assert upload(doors, "id\0with") == 202
    posts = {
        f"/africastalking/{key}/sms": {"from": things.FARMER, "text": NUL, "id": NUL, "to": NUL},
        f"/africastalking/{key}/delivery-reports": {"id": NUL, "status": NUL, "phoneNumber": NUL},
        f"/africastalking/{key}/ussd": {
            "sessionId": NUL,
            "phoneNumber": things.FARMER,
            "text": NUL,
        },
        f"/africastalking/{key}/ussd-events": {"sessionId": NUL, "phoneNumber": NUL, "status": NUL},
        f"/africastalking/{key}/opt-outs": {"phoneNumber": things.FARMER, "senderId": NUL},
        f"/mms/{key}": {"id": NUL, "from": things.FARMER, "media_url": f"https://m.example/{NUL}"},
        "/operator/sign-in": {"name": NUL, "password": NUL, "code": NUL, "next": NUL},
        "/officer/sign-in": {"phone": NUL, "pin": NUL},
        "/kiosk/pair": {"code": NUL},
    }
    for path, fields in posts.items():
        answer = doors.post(path, data=fields)
        assert answer.status_code < 500, (path, answer.status_code, answer.get_data(as_text=True))
    for path in ("/api/cases/%00", "/o/a%00b", "/operator?q=%00&page=%00", "/officer/cases/%00"):
        assert doors.get(path).status_code < 500, path
    store: Store = doors.application.extensions["leafline"].store
    with store.reading() as session:
        assert session.scalars(select(Photo.client_id)).one() == "idwith"


@pytest.mark.parametrize(
    "wanted", ["/operator/\r\nSet-Cookie: a=b", "/operator/\nx", "/operator/\u2028", "//evil", ""]
)
def test_a_line_end_gets_into_no_header(settings: Settings, wanted: str) -> None:
    from gateway.pages.operator import door

    app = create_app(settings)
    with app.test_request_context("/operator/sign-in", method="POST", data={"next": wanted}):
        assert door._afterwards() == "/operator/"
    app.extensions["leafline"].close()
