"""`POST /api/photos`: what is taken, and how what is not is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from gateway.app import create_app
from gateway.cases import codes
from gateway.context import Context
from gateway.people import farmers, kiosks
from gateway.settings import Settings
from gateway.store.models import Kiosk
from inference import picture
from inference.guard import MOST_OF_ONE, WAITING, Guard, guard
from rig import things as house

Post = Callable[..., TestResponse]
NONE = b"no photo at all"


@pytest.fixture
def token(client: FlaskClient) -> str:
    context: Context = client.application.extensions["leafline"]
    return house.kiosk(context.store)[1]


@pytest.fixture
def post(client: FlaskClient, token: str) -> Post:
    def send(photo: bytes | None = None, **fields: Any) -> TestResponse:
        form: dict[str, Any] = {
            "phone": "0788 000 001", "crop": "maize", "language": "rw", "place": "Kanyangese",
        }  # fmt: skip
        form |= fields
        parts: list[tuple[str, tuple[str | None, str | bytes]]] = [
            (name, (None, value))
            for name, given in form.items()
            for value in (given if isinstance(given, list) else [given])
            if value is not None
        ]
        if photo != NONE:
            parts.append(("photo", ("leaf.jpg", house.photo() if photo is None else photo)))
        wire = requests.Request("POST", "http://kiosk/", files=parts).prepare()
        return client.post(
            "/api/photos",
            data=wire.body,
            content_type=wire.headers["Content-Type"],
            headers={"Authorization": f"Bearer {token}"},
        )

    return send


def _refusal(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    assert "0788" not in answer.get_data(as_text=True)
    return answer.status_code, problem["code"]


def _picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (320, 240), **how: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind, **how)
    return out.getvalue()


def test_a_photo_is_accepted_queued_and_echoed(post: Post, client: FlaskClient) -> None:
    answer = post()
    assert answer.status_code == 202
    body = answer.get_json()
    assert body["phone_last4"] == "0001"
    assert body["duplicate"] is False
    assert codes.parse(body["case"]) == body["case"]
    assert answer.headers["Location"].endswith(f"/api/cases/{body['case']}")
    context: Context = client.application.extensions["leafline"]
    assert len(context.photo_queue) == 1


def test_sending_again_is_the_same_case_and_is_not_queued_again(
    post: Post, client: FlaskClient
) -> None:
    first = post(client_id="a1").get_json()
    again = post(client_id="a1")
    assert again.status_code == 202
    assert again.get_json() == first | {"duplicate": True}
    context: Context = client.application.extensions["leafline"]
    assert len(context.photo_queue) == 1


@pytest.mark.parametrize(
    "photo",
    [
        pytest.param(_picture("PNG"), id="png"),
        pytest.param(_picture("WEBP"), id="webp"),
        pytest.param(_picture("HEIF"), id="heic"),
        pytest.param(_picture("GIF"), id="gif"),
        pytest.param(_picture("JPEG", "CMYK"), id="cmyk jpeg"),
        pytest.param(_picture("JPEG", "L"), id="grey jpeg"),
        pytest.param(_picture("PNG", "I;16"), id="16-bit png"),
        pytest.param(_picture("PNG", "P"), id="palette png"),
        pytest.param(_picture("PNG", "RGBA"), id="transparent png"),
        pytest.param(
            _picture("GIF", save_all=True, append_images=[Image.new("RGB", (320, 240), "red")]),
            id="animated gif",
        ),
    ],
)
def test_every_usual_kind_of_picture_is_taken(post: Post, photo: bytes) -> None:
    assert post(photo).status_code == 202


@pytest.mark.parametrize(
    ("photo", "status", "code"),
    [
        pytest.param(b"", 400, "empty", id="empty file"),
        pytest.param(b"%PDF-1.7\n%\xe2\xe3", 415, "not_a_picture", id="pdf"),
        pytest.param(b"hello, this is a leaf", 415, "not_a_picture", id="text"),
        pytest.param(house.photo()[:400], 422, "truncated", id="truncated jpeg"),
        pytest.param(_picture("PNG", size=(8000, 7000)), 413, "too_many_pixels", id="bomb"),
        pytest.param(_picture("PNG", size=(1, 1)), 422, "too_small", id="1 x 1"),
    ],
)
def test_what_is_no_usable_picture_is_refused(
    post: Post, photo: bytes, status: int, code: str
) -> None:
    assert _refusal(post(photo)) == (status, code)


def test_a_file_over_the_limit_is_refused(post: Post) -> None:
    assert _refusal(post(b"\xff\xd8\xff" + bytes(10_100_000))) == (413, "too_large")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        pytest.param({"phone": None}, 400, "missing_field", id="no phone"),
        pytest.param({"phone": "  "}, 400, "missing_field", id="blank phone"),
        pytest.param({"crop": None}, 400, "missing_field", id="no crop"),
        pytest.param({"phone": "12"}, 422, "bad_phone", id="short phone"),
        pytest.param({"phone": ["0788000001", "0788000002"]}, 400, "repeated_field", id="two"),
        pytest.param({"crop": "rice"}, 422, "bad_crop", id="a crop we do not know"),
        pytest.param({"language": "xx"}, 422, "bad_language", id="a language we do not know"),
        pytest.param({"case": "2222222"}, 422, "bad_case_code", id="a code with an error"),
        pytest.param({"stage": "ripe"}, 422, "bad_stage", id="a stage we do not know"),
        pytest.param({"client_id": "x" * 81}, 400, "bad_client_id", id="a long client id"),
        pytest.param({"place": "x" * 1_000_000}, 413, "too_large", id="1 MB of place"),
    ],
)
def test_wrong_fields_are_named(post: Post, fields: dict[str, Any], status: int, code: str) -> None:
    assert _refusal(post(**fields)) == (status, code)


@pytest.mark.parametrize(
    "phone",
    ["+250788000001", " 250788000001", "250788000001", "٠٧٨٨٠٠٠٠٠١", "078-8000-001"],
)
def test_the_number_may_be_written_in_any_way(post: Post, phone: str) -> None:
    assert post(phone=phone).get_json()["phone_last4"] == "0001"


def test_a_photo_is_needed(post: Post) -> None:
    assert _refusal(post(NONE)) == (400, "missing_field")


def test_another_content_type_is_refused(client: FlaskClient, token: str) -> None:
    answer = client.post(
        "/api/photos", json={"phone": "1"}, headers={"Authorization": f"Bearer {token}"}
    )
    assert _refusal(answer) == (415, "not_multipart")


def test_another_method_is_refused(client: FlaskClient) -> None:
    answer = client.get("/api/photos")
    assert _refusal(answer) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_token"),
        ("Basic dXNlcjpwYXNz", "missing_token"),
        ("Bearer ", "missing_token"),
        ("Bearer lfk_wrong", "unknown_kiosk"),
    ],
)
def test_who_has_no_token_is_asked_for_one(
    client: FlaskClient, header: str | None, code: str
) -> None:
    answer = client.post("/api/photos", headers={"Authorization": header} if header else {})
    assert _refusal(answer) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_disabled_kiosk_is_told_so(post: Post, client: FlaskClient) -> None:
    context: Context = client.application.extensions["leafline"]
    with context.store.transaction() as session:
        kiosks.disable(session, "Nyagasambu")
    assert _refusal(post()) == (403, "kiosk_disabled")


def test_redis_down_still_accepts(
    post: Post, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from redis.exceptions import ConnectionError as Gone
    from rq import Queue

    def gone(*_: Any, **__: Any) -> None:
        raise Gone

    monkeypatch.setattr(Queue, "enqueue", gone)
    assert post().status_code == 202


def test_a_full_line_before_the_decoder_asks_to_come_again(post: Post) -> None:
    with ExitStack() as line:
        for _ in range(1 + WAITING):
            line.enter_context(guard._seats.one(""))
        answer = post(_picture("PNG"))
        assert _refusal(answer) == (503, "busy")
        assert answer.headers["Retry-After"]
        assert post(house.photo()).status_code == 202  # what is cheap waits for nobody
    assert post(_picture("PNG")).status_code == 202


def test_costly_photos_of_one_kiosk_leave_the_decoder_to_the_others(
    post: Post, client: FlaskClient
) -> None:
    context: Context = client.application.extensions["leafline"]
    with context.store.reading() as session:
        first = session.scalars(select(Kiosk)).one()
    with ExitStack() as line:
        for _ in range(MOST_OF_ONE):
            line.enter_context(guard._seats.one(f"kiosk:{first.id}"))
        assert _refusal(post(_picture("PNG"))) == (503, "busy")
        _, other = house.kiosk(context.store, "Gahini")
        form = {"phone": "0788 000 002", "crop": "maize"}
        form |= {"photo": (io.BytesIO(_picture("PNG")), "leaf.png")}
        headers = {"Authorization": f"Bearer {other}"}
        assert client.post("/api/photos", data=form, headers=headers).status_code == 202


def test_a_kiosk_whose_token_leaked_fills_neither_the_disk_nor_the_queue(
    settings: Settings,
) -> None:
    """Counted are photos that were taken: neither repeats nor what is no photo."""
    few = type(settings).model_validate(settings.model_dump() | {"kiosk_photos_daily": 2})
    app = create_app(few)
    context: Context = app.extensions["leafline"]
    _, token = house.kiosk(context.store)
    _, other = house.kiosk(context.store, "Gahini")

    def send(photo: bytes, token: str = token) -> TestResponse:
        form = {"phone": "0788 000 001", "crop": "maize", "photo": (io.BytesIO(photo), "l.jpg")}
        headers = {"Authorization": f"Bearer {token}"}
        return app.test_client().post("/api/photos", data=form, headers=headers)

    with time_machine.travel("2026-03-01T08:00:00+00:00", tick=False) as clock:
        assert [send(house.photo(100)).status_code for _ in range(3)] == [202] * 3
        assert send(b"no photo").status_code == 415
        assert send(house.photo(101)).status_code == 202
        refused = send(house.photo(102))
        assert _refusal(refused) == (429, "kiosk_photos_daily")
        assert refused.headers["Retry-After"]
        assert send(house.photo(102), other).status_code == 202
        clock.shift(timedelta(days=1))
        assert send(house.photo(103)).status_code == 202
    context.close()


def test_a_photo_that_breaks_the_decoder_is_refused_with_words(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Guard(memory=1_000)
    monkeypatch.setattr(picture, "guard", broken)
    try:
        assert _refusal(post(_picture("PNG"))) == (422, "too_costly")
    finally:
        broken.stop()


def test_the_description_lists_all_that_is_read(client: FlaskClient) -> None:
    paths = client.get("/api/openapi.json").get_json()["paths"]
    form = paths["/api/photos"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert form["encoding"]["photo"]["contentType"].split(", ") == list(picture.MEDIA)
    assert "HEIC" in form["schema"]["properties"]["photo"]["description"]
    assert {"name", "consent"} <= set(form["schema"]["properties"])
    assert set(picture.MEDIA) < set(paths["/api/predict"]["post"]["requestBody"]["content"])


@pytest.mark.parametrize("phone", ["+2348021234567", "+447911123456", "0033 6 12 34 56 78"])
def test_a_number_of_a_country_not_served_is_refused_in_words(post: Post, phone: str) -> None:
    answer = post(phone=phone)
    assert _refusal(answer) == (422, "country_not_served")
    assert "+250" in answer.get_json()["detail"]


@pytest.mark.parametrize("stopped", [False, True])
def test_the_answer_says_when_no_sms_will_come(
    client: FlaskClient, post: Post, token: str, stopped: bool
) -> None:
    context: Context = client.application.extensions["leafline"]
    if stopped:
        with context.store.transaction() as session:
            farmers.opt_out(session, farmers.find_or_create(session, "+250788000001"), by="sms")
    first = post().get_json()
    assert first["sms"] is not stopped
    assert post().get_json()["sms"] is not stopped  # the same once more
    asked = {"Authorization": f"Bearer {token}"}
    (shown,) = client.get("/api/cases", headers=asked).get_json()["cases"]
    assert shown["sms"] is not stopped
