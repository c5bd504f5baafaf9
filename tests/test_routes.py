"""Every door: its credential, its largest body, what caches may do. A new one needs a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.settings import Settings

Credential = Literal["none", "key", "kiosk", "phone", "officer", "link", "operator", "loopback"]
Body = Literal["none", "form", "call", "photo"]
"""none; fields of a form; a network's callback; a photo (LEAFLINE_PHOTO_MAX_BYTES and its form)."""


class Door(NamedTuple):
    credential: Credential
    body: Body
    cache: str


CLOSED = "no-store"
KIOSK, OFFICER, OPERATOR = "/kiosk/pair", "/officer/sign-in", "/operator/sign-in"
CASE, FOREVER = "/officer/case/<code>", "public, max-age=31536000, immutable"
OF_OPERATOR = (
    "/ /account /audit /cases/list /cases/<code> /costs /farmers /farmers/<farmer_id> "
    "/messages/<int:message_id> /photo/<int:photo_id>/<kind>.jpg /start /broadcasts "
    "/broadcasts/<int:broadcast_id> /cases /cases.csv "
    "/districts.geojson /heard /incidents /kiosks /kiosks/<int:kiosk_id> /messages /model "
    "/officers /officers/<int:officer_id> /promises /rq/ /rq/<path:path> /texts"
)
BY_OPERATOR = (
    "/cases/<code>/hand-over /farmers /messages/test /start/doctor /account/authenticator "
    "/account/authenticator/confirm /account/password "
    "/account/sign-ins/<int:sign_in_id>/end /account/sign-ins/end /broadcasts "
    "/broadcasts/<int:broadcast_id>/<any(approve,cancel):decision> /broadcasts/dry-run /kiosks "
    "/kiosks/<int:kiosk_id> /kiosks/<int:kiosk_id>/pair /kiosks/<int:kiosk_id>/rotate "
    "/kiosks/<int:kiosk_id>/service /messages/<int:message_id>/resend /officers "
    "/officers/<int:officer_id> /officers/<int:officer_id>/pin /officers/<int:officer_id>/service "
)
CALLBACKS = (
    "/africastalking/<key>/<any('ussd-events','sms','delivery-reports','opt-outs'):kind>",
    "/africastalking/<key>/ussd",
    "/http-gateway/<key>/<any('sms','report'):kind>",
)
ROUTES: dict[str, Door] = {
    **{f"POST {path}": Door("key", "call", CLOSED) for path in CALLBACKS},
    f"GET {CALLBACKS[2]}": Door("key", "none", CLOSED),
    "POST /mms/<key>": Door("key", "photo", CLOSED),
    "POST /mm7/<key>": Door("key", "photo", CLOSED),
    "GET /api/cases": Door("kiosk", "none", CLOSED),
    "GET /api/cases/<code>": Door("kiosk", "none", CLOSED),
    "GET /api/openapi.json": Door("none", "none", CLOSED),
    "POST /api/photos": Door("kiosk", "photo", CLOSED),
    "POST /api/predict": Door("none", "photo", CLOSED),
    "GET /health/live": Door("none", "none", CLOSED),
    "GET /health/ready": Door("none", "none", CLOSED),
    "GET /health/traffic": Door("none", "none", CLOSED),
    "GET /health/whole": Door("none", "none", CLOSED),
    "GET /metrics": Door("loopback", "none", CLOSED),
    "GET /kiosk": Door("phone", "none", CLOSED),
    "GET /kiosk/cases": Door("phone", "none", CLOSED),
    "GET /kiosk/cases/<code>": Door("phone", "none", CLOSED),
    "GET /kiosk/cases/<code>/slip": Door("phone", "none", CLOSED),
    "GET /kiosk/manifest.webmanifest": Door("none", "none", CLOSED),
    "GET /kiosk/pair": Door("none", "none", CLOSED),
    "POST /kiosk/pair": Door("none", "form", CLOSED),
    "POST /kiosk/sign-out": Door("none", "form", CLOSED),
    "GET /kiosk/worker.js": Door("none", "none", "no-cache"),
    "GET /o/<token>": Door("link", "none", CLOSED),
    "POST /o/<token>": Door("link", "form", CLOSED),
    "GET /officer": Door("officer", "none", CLOSED),
    f"GET {CASE}": Door("officer", "none", CLOSED),
    **{
        f"{method} {CASE}/{act}": Door("officer", "form" if method == "POST" else "none", CLOSED)
        for act in ("answer", "call", "hand-over", "label", "number", "photo", "preview", "undo")
        for method in ("GET", "POST")
    },
    "POST /officer/duty": Door("officer", "form", CLOSED),
    "GET /officer/next": Door("officer", "none", CLOSED),
    "GET /officer/several": Door("officer", "none", CLOSED),
    "POST /officer/several": Door("officer", "form", CLOSED),
    "GET /officer/gsm7.json": Door("none", "none", "private, max-age=86400"),
    "GET /officer/photo/<int:photo_id>/<kind>.jpg": Door("officer", "none", CLOSED),
    "GET /officer/sign-in": Door("none", "none", CLOSED),
    "POST /officer/sign-in": Door("none", "form", CLOSED),
    "GET /officer/sign-ins": Door("officer", "none", CLOSED),
    "POST /officer/sign-ins/<int:sign_in_id>/end": Door("officer", "form", CLOSED),
    "POST /officer/sign-ins/end": Door("officer", "form", CLOSED),
    "POST /officer/sign-out": Door("none", "form", CLOSED),
    **{f"GET /operator{path}": Door("operator", "none", CLOSED) for path in OF_OPERATOR.split()},
    **{f"POST /operator{path}": Door("operator", "form", CLOSED) for path in BY_OPERATOR.split()},
    "GET /": Door("none", "none", CLOSED),
    "GET /operator/first": Door("link", "none", CLOSED),
    "POST /operator/first": Door("link", "form", CLOSED),
    "POST /operator/first/confirm": Door("link", "form", CLOSED),
    "GET /operator/sign-in": Door("none", "none", CLOSED),
    "POST /operator/sign-in": Door("none", "form", CLOSED),
    "POST /operator/sign-out": Door("none", "form", CLOSED),
    "GET /static/<version>/<path:name>": Door("none", "none", FOREVER),
}
LIMIT = 100_000
STRANGER = {"REMOTE_ADDR": "203.0.113.9"}
PLACES = {
    "<key>": "a-key-that-nobody-has", "<code>": "K7Q2M93", "<token>": "x" * 43, "<kind>": "full",
    "<farmer_id>": "0" * 32,
    "<int:photo_id>": "1", "<int:broadcast_id>": "1", "<int:kiosk_id>": "1",
    "<int:message_id>": "1", "<int:officer_id>": "1", "<int:sign_in_id>": "1", "<path:path>": "x",
    "<any(approve,cancel):decision>": "approve", "<any('sms','report'):kind>": "sms",
    "<any('ussd-events','sms','delivery-reports','opt-outs'):kind>": "sms",
}  # fmt: skip


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """As in production: without the simulator."""
    off = settings.model_dump() | {
        "simulator": "off",
        "photo_max_bytes": LIMIT,
        "predict_access": "open",
    }
    app = create_app(type(settings).model_validate(off))
    app.config["WTF_CSRF_METHODS"] = set()  # that is another lock, with tests of its own
    yield app
    app.extensions["leafline"].close()


def _address(app: Flask, route: str) -> str:
    address = route.partition(" ")[2]
    if address.startswith("/static/"):
        return str(app.extensions["leafline_assets"].url("base/base.css"))
    for place, value in PLACES.items():
        address = address.replace(place, value)
    assert "<" not in address, address
    return address


def test_every_route_has_its_row(app: Flask) -> None:
    found = {
        f"{method} {rule}".replace(", ", ",")
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == set(ROUTES)


def test_strangers_photos_are_judged_only_where_somebody_asked_for_it(settings: Settings) -> None:
    """Beside the simulator nobody is at stake; with a real network the door is not there."""
    for simulator, access, there in (("off", "auto", False), ("on", "auto", True),
                                     ("off", "kiosk", True), ("on", "off", False)):  # fmt: skip
        given = settings.model_dump() | {"simulator": simulator, "predict_access": access}
        app = create_app(type(settings).model_validate(given))
        described = app.test_client().get("/api/openapi.json").get_json()["paths"]
        assert ("/api/predict" in described) == there, (simulator, access)
        status = app.test_client().post("/api/predict").status_code
        assert status == (404 if not there else 401 if access == "kiosk" else 400)
        app.extensions["leafline"].close()


def test_a_stranger_meets_the_credential_of_each_door(app: Flask, client: FlaskClient) -> None:
    for route, door in ROUTES.items():
        method = route.partition(" ")[0]
        answer = client.open(_address(app, route), method=method, environ_overrides=STRANGER)
        where, status = answer.headers.get("Location", ""), answer.status_code
        met = {
            "none": status < 500 and status not in (401, 404),
            "key": status == 404,
            "loopback": status == 404,
            "kiosk": status == 401,
            "phone": status in (302, 303) and where.startswith(KIOSK),
            "officer": status in (302, 303) and where.startswith(OFFICER),
            "operator": status in (302, 303) and where.startswith(OPERATOR),
            "link": status in (403, 404, 410) or where.startswith("/o/"),
        }[door.credential]
        assert met, (route, door, status, where)


def test_what_caches_may_keep_of_each_door(app: Flask, client: FlaskClient) -> None:
    for route, door in ROUTES.items():
        method = route.partition(" ")[0]
        answer = client.open(_address(app, route), method=method)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", route
        kept = answer.headers["Cache-Control"]
        if answer.status_code >= 400:
            assert "no-store" in kept, (route, kept)
        else:
            assert set(kept.split(", ")) == set(door.cache.split(", ")), (route, kept)


def test_no_door_takes_more_than_the_largest_body(app: Flask, client: FlaskClient) -> None:
    most = int(app.config["MAX_CONTENT_LENGTH"])
    form = b"a=" + b"x" * most
    for route, door in ROUTES.items():
        method, _, _ = route.partition(" ")
        assert (door.body == "none") == (method == "GET"), route
        if method == "GET":
            continue
        answer = client.open(
            _address(app, route),
            method=method,
            data=form,
            content_type="application/x-www-form-urlencoded",
            environ_overrides=STRANGER,
        )
        assert answer.status_code < 500, route
        assert answer.status_code >= 300, route
