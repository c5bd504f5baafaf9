"""The doors of MMS, from the wire to the store."""

from __future__ import annotations

import contextlib
import io
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from PIL import Image
from rq.timeouts import JobTimeoutException
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from gateway import queues
from gateway.app import create_app
from gateway.cases import life
from gateway.channels.mms import incoming, mm7, twilio
from gateway.channels.mms.fetch import Fetcher, FetchError
from gateway.channels.takers import takers
from gateway.context import Context
from gateway.jobs import media, photos, sweeps_media, worker
from gateway.privacy import erasure
from gateway.settings import Settings
from gateway.spool import Spool
from gateway.store.base import now
from gateway.store.models import Case, Farmer, MediaMessage, Message, Photo
from gateway.store.photos import PhotoStoreError
from inference.guard import WAITING, guard
from rig import things as house
from tests.channels.mms import test_mm7
from tests.conftest import CHANNEL_KEY

TWILIO = {
    "From": "+250788000001",
    "MessageSid": "MM1",
    "NumMedia": "2",
    "MediaUrl0": "https://media.example/1",
    "MediaUrl1": "https://media.example/2",
}


@pytest.fixture
def context(client: FlaskClient) -> Context:
    found: Context = client.application.extensions["leafline"]
    worker.sit_down(found)
    return found


def _count(context: Context, model: Any) -> int:
    with context.store.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def _direct(client: FlaskClient, *photos: bytes, **fields: Any) -> TestResponse:
    form: dict[str, Any] = {"id": "m1", "from": "+250788000001", "text": "my maize"} | fields
    form["media"] = [(io.BytesIO(photo), "a.jpg") for photo in photos]
    return client.post(f"/mms/{CHANNEL_KEY}", data=form, content_type="multipart/form-data")


def test_photos_of_one_message_are_one_case(client: FlaskClient, context: Context) -> None:
    answer = _direct(client, house.photo(1), house.photo(2), b"not a photo")
    assert answer.status_code == 200
    assert answer.get_json()["photos"] == 2
    assert answer.get_json()["refused"] == ["not_a_picture"]
    assert (_count(context, Case), _count(context, Photo)) == (1, 2)
    assert len(context.photo_queue) == 2


@pytest.mark.parametrize("more", [(house.photo(2),), (house.photo(2), b"not a photo")])
def test_photos_of_one_message_are_judged_together(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch, more: tuple[bytes, ...]
) -> None:
    together = []
    # A worker quicker than the door.
    at_once = lambda _queue, photo_id: photos._diagnose(context, photo_id)  # noqa: E731
    monkeypatch.setattr(incoming, "enqueue", at_once)
    monkeypatch.setattr(photos.judgement, "judge", lambda *_args: together.append(_args[-1]))
    assert _direct(client, house.photo(1), *more).status_code == 200
    assert together == [2]


def test_a_photo_that_came_before_is_not_waited_for(client: FlaskClient, context: Context) -> None:
    _direct(client, house.photo(1))
    assert _direct(client, house.photo(2), house.photo(1), id="m2").get_json()["photos"] == 2
    with context.store.reading() as session:
        assert set(session.scalars(select(Photo.following))) == {0}


def test_a_new_photo_beside_one_of_a_closed_case_is_not_lost(
    client: FlaskClient, context: Context
) -> None:
    first = _direct(client, house.photo(1)).get_json()["case"]
    with context.store.transaction() as session:
        session.execute(update(Case).values(state=life.CLOSED))
    answer = _direct(client, house.photo(1), house.photo(2), id="m2").get_json()
    assert (answer["photos"], answer["refused"]) == (2, [])
    assert answer["case"] != first


def test_the_same_message_again_changes_nothing(client: FlaskClient, context: Context) -> None:
    first = _direct(client, house.photo(1), house.photo(2)).get_json()
    assert _direct(client, house.photo(1), house.photo(2)).get_json()["case"] == first["case"]
    assert (_count(context, Case), _count(context, Photo)) == (1, 2)


@pytest.mark.parametrize(
    ("photos", "fields", "status", "code"),
    [
        ((), {}, 400, "missing_field"),
        ((b"text",), {}, 422, "not_a_picture"),
        ((house.photo(),), {"from": "Leafline"}, 422, "bad_phone"),
        ((house.photo(),), {"from": ""}, 400, "missing_field"),
        ((house.photo(),), {"id": ""}, 400, "missing_field"),
        ((house.photo(),), {"id": "x" * 71}, 400, "bad_id"),
    ],
)
def test_what_cannot_be_taken_is_named(
    client: FlaskClient, photos: tuple[bytes, ...], fields: dict[str, str], status: int, code: str
) -> None:
    answer = _direct(client, *photos, **fields)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["/mms/wrong", "/mm7/wrong"])
def test_a_wrong_key_is_nobody(client: FlaskClient, path: str) -> None:
    assert client.post(path, data={"from": "x"}).status_code == 404


def test_addresses_are_kept_now_and_fetched_by_a_job(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert client.post(f"/mms/{CHANNEL_KEY}", data=TWILIO).status_code == 204
    assert (_count(context, MediaMessage), _count(context, Case)) == (1, 0)
    pictures = {
        "https://media.example/1": house.photo(1),
        "https://media.example/2": house.photo(2),
    }
    monkeypatch.setattr(Fetcher, "fetch", lambda _self, url: pictures[url])
    for _ in range(2):
        media.fetch(1)
    assert (_count(context, Case), _count(context, Photo)) == (1, 2)


def test_a_message_is_kept_while_the_store_is_away(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_args: object, **_options: object) -> None:
        raise OperationalError("INSERT", {}, Exception("the store is away"))

    with monkeypatch.context() as patch:
        patch.setattr("gateway.store.database.Store.transaction", down)
        assert client.post(f"/mms/{CHANNEL_KEY}", data=TWILIO).status_code == 204
    spool = Spool(context.settings.spool, context.store.vault)
    while not spool.replay(lambda kind, fields: takers()[kind](context, fields)):
        pass  # the process's own replayer is at it
    with context.store.reading() as session:
        row = session.scalars(select(MediaMessage)).one()
    assert (row.phone, row.addresses.count("\n")) == (TWILIO["From"], 1)
    assert spool.failed() == 0


def _first_alone(monkeypatch: pytest.MonkeyPatch, code: str, *, again: bool) -> None:
    """Of the two addresses only the first gives a photo."""

    def fetched(_self: Fetcher, url: str) -> bytes:
        if url.endswith("2"):
            raise FetchError(code, again=again)
        return house.photo(1)

    monkeypatch.setattr(Fetcher, "fetch", fetched)


def test_what_is_no_photo_costs_no_photo(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"/mms/{CHANNEL_KEY}", data=TWILIO)
    _first_alone(monkeypatch, "too_large", again=False)
    media.fetch(1)
    assert (_count(context, Case), _count(context, Photo)) == (1, 1)


def test_a_photo_that_may_still_come_is_waited_for_and_then_left_out(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"/mms/{CHANNEL_KEY}", data=TWILIO)
    _first_alone(monkeypatch, "status_503", again=True)
    for _ in range(media.MAX_ATTEMPTS - 1):
        media.fetch(1)
        assert _count(context, Case) == 0
    media.fetch(1)
    assert (_count(context, Case), _count(context, Photo)) == (1, 1)


@pytest.mark.parametrize("comes", [True, False])
def test_an_erased_farmer_is_not_made_again_by_a_fetch_on_its_way(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch, comes: bool
) -> None:
    client.post(f"/mms/{CHANNEL_KEY}", data=TWILIO)

    def fetched(_self: Fetcher, _url: str) -> bytes:
        erasure.erase(context.store, context.photos, TWILIO["From"], by="test")
        if not comes:
            raise FetchError("not_found", again=False)
        return house.photo(1)

    monkeypatch.setattr(Fetcher, "fetch", fetched)
    media.fetch(1)
    assert [_count(context, model) for model in (Farmer, Case, Message)] == [0, 0, 0]


def test_a_job_that_failed_keeps_no_later_one_out(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"/mms/{CHANNEL_KEY}", data=TWILIO)
    monkeypatch.setattr(Fetcher, "fetch", lambda _self, _url: 1 / 0)
    queue = queues.queue(queues.MEDIA, context.redis)
    worker.worker_of(queue).work(burst=True)
    assert queue.job_ids == []
    with time_machine.travel(now() + timedelta(minutes=5)):
        assert sweeps_media.waiting_media(context) == 1
    assert queue.job_ids == ["media-1"]


def test_media_that_never_comes_is_told_to_the_farmer_once(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"/mms/{CHANNEL_KEY}", data=TWILIO)

    def unreachable(_self: Fetcher, _url: str) -> bytes:
        raise FetchError("status_503", again=True)

    monkeypatch.setattr(Fetcher, "fetch", unreachable)
    for _ in range(media.MAX_ATTEMPTS + 2):
        media.fetch(1)
    with context.store.reading() as session:
        row = session.scalars(select(MediaMessage)).one()
        assert (row.attempts, row.outcome) == (media.MAX_ATTEMPTS, "status_503")
        assert row.done_at is not None
        assert [m.template for m in session.scalars(select(Message))] == ["mms_unusable"]


@pytest.mark.parametrize(
    "address",
    ["https://[::1", f"https://{'l' * 70}.media.example/1", "https://media.example:0/",
     "https://media.example:99999/", "https://user:word@media.example/1", "\u2028", "https://ｅ\ud7ff/",
     "https://media.example/\x85https://[::1"],
)  # fmt: skip
def test_what_is_no_address_is_told_to_the_farmer_and_tried_no_more(
    client: FlaskClient, context: Context, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    form = TWILIO | {"NumMedia": "1", "MediaUrl0": address, "MediaUrl1": ""}
    assert client.post(f"/mms/{CHANNEL_KEY}", data=form).status_code in (200, 204)
    if not _count(context, MediaMessage):
        return  # nothing was left of it
    queue = queues.queue(queues.MEDIA, context.redis)
    for hours in range(media.MAX_ATTEMPTS + 1):
        with time_machine.travel(now() + timedelta(hours=hours), tick=True):
            sweeps_media.waiting_media(context)
            worker.worker_of(queue).work(burst=True)
    with context.store.reading() as session:
        row = session.scalars(select(MediaMessage)).one()
        assert row.outcome in ("bad_address", "host_not_allowed", "host_not_found")
        assert (row.done_at is None, row.addresses) == (False, "")
        assert [m.template for m in session.scalars(select(Message))] == ["mms_unusable"]
    assert "media_not_fetched" in caplog.text
    assert address not in caplog.text


class _Bug(Exception):
    """What nobody thought of."""


@pytest.mark.parametrize("end", [_Bug, JobTimeoutException, SystemExit])
def test_a_try_that_ends_without_a_word_is_not_made_for_ever(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    client.post(f"/mms/{CHANNEL_KEY}", data=TWILIO)
    tries: list[str] = []

    def fetched(_self: Fetcher, url: str) -> bytes:
        tries.append(url)
        raise end("here")

    monkeypatch.setattr(Fetcher, "fetch", fetched)
    for _ in range(media.MAX_ATTEMPTS + 3):
        with contextlib.suppress(_Bug, SystemExit):
            media.fetch(1)
    assert len(tries) == media.MAX_ATTEMPTS
    with context.store.reading() as session:
        assert session.scalars(select(MediaMessage)).one().done_at is not None
        assert [m.template for m in session.scalars(select(Message))] == ["mms_unusable"]


def test_a_full_disk_is_no_try(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(f"/mms/{CHANNEL_KEY}", data=TWILIO)
    monkeypatch.setattr(Fetcher, "fetch", lambda _self, _url: house.photo(1))

    def full(*_: object) -> None:
        raise PhotoStoreError("no space is left")

    monkeypatch.setattr(media, "take", full)
    for _ in range(media.MAX_ATTEMPTS + 3):
        media.fetch(1)
    with context.store.reading() as session:
        row = session.scalars(select(MediaMessage)).one()
        assert (row.attempts, row.done_at) == (0, None)


def test_all_photos_of_a_message_have_one_time_and_one_weight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[int] = []

    def fetched(self: Fetcher, url: str) -> bytes:
        given.append(self.max_bytes)
        if self.max_bytes < 100:
            raise FetchError("too_large", again=False)
        return bytes(100)

    monkeypatch.setattr(Fetcher, "fetch", fetched)
    fetcher = Fetcher(("media.example",), 100)
    photos, errors = media._fetched(fetcher, ["https://media.example/"] * 6)
    assert (len(photos), [error.code for error in errors]) == (4, ["too_large"] * 2)
    assert given == [100] * 4 + [0] * 2
    monkeypatch.setattr(media, "SECONDS", 0.0)
    photos, errors = media._fetched(fetcher, ["https://media.example/"] * 2)
    assert (photos, [error.code for error in errors]) == ((), ["too_slow"] * 2)


def test_twilios_signature_of_its_own_example() -> None:
    parameters = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+12349013030", "Digits": "1234",
        "From": "+12349013030", "To": "+18005551212",
    }  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio.signature("12345", url, parameters.items()) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


@pytest.mark.parametrize(("given", "status"), [("right", 204), ("wrong", 403), (None, 403)])
def test_with_a_token_the_signature_must_fit(
    settings: Settings, given: str | None, status: int
) -> None:
    signed = Settings.read(
        home=settings.home, database_url=settings.database_url, redis_url=settings.redis_url,
        secret_key="k" * 40, channel_keys=CHANNEL_KEY, twilio_auth_token="token",
        public_url="https://leafline.example",
    )  # fmt: skip
    app = create_app(signed)
    url = f"https://leafline.example/mms/{CHANNEL_KEY}"
    right = twilio.signature("token", url, TWILIO.items())
    headers = {"X-Twilio-Signature": right if given == "right" else given} if given else {}
    answer = app.test_client().post(f"/mms/{CHANNEL_KEY}", data=TWILIO, headers=headers)
    app.extensions["leafline"].close()
    assert answer.status_code == status


def _mm7(client: FlaskClient, **changes: Any) -> tuple[int, bytes]:
    content_type, body = test_mm7.request(**changes)
    body = body.replace(b"\n", b"\r\n")
    answer = client.post(f"/mm7/{CHANNEL_KEY}", data=body, content_type=content_type)
    return answer.status_code, answer.data


@pytest.mark.parametrize(
    ("changes", "status", "cases"),
    [
        pytest.param({}, mm7.SUCCESS, 1, id="two photos"),
        pytest.param({"kind": "application/octet-stream"}, mm7.SUCCESS, 1, id="no type named"),
        pytest.param({"transaction": "t" * 200}, mm7.SUCCESS, 1, id="a long id"),
        pytest.param({"photos": 0}, mm7.SUCCESS, 0, id="words only"),
        pytest.param({"sender": "<Number>operator</Number>"}, mm7.CORRUPT, 0, id="no number"),
        pytest.param({"doctype": test_mm7.BOMB}, mm7.CORRUPT, 0, id="a DTD"),
    ],
)
def test_mm7_is_answered_in_its_own_words(
    client: FlaskClient, context: Context, monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any], status: int, cases: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(test_mm7, "PICTURE", house.photo())
    for _ in range(2):
        code, answer = _mm7(client, **changes)
        assert code == 200
        assert f"<StatusCode>{status}</StatusCode>".encode() in answer
        if "doctype" not in changes:
            assert changes.get("transaction", "T-1").encode() in answer
    assert _count(context, Case) == cases


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"--B\r\nContent-Type: text/xml" + b";" * 10_000 + b"\r\n\r\n<a/>", mm7.CORRUPT),
        (b"--B\r\nTo: " + b"(" * 3_000 + b"\r\n\r\n<a/>", mm7.CORRUPT),
        (b"--B\r\n" * 5_000, mm7.CORRUPT),
        (b"", mm7.CORRUPT),
        (bytes(11_000_000), mm7.REFUSED),
    ],
    ids=["semicolons", "brackets", "parts", "nothing", "too large"],
)
def test_mm7_answers_whatever_comes_in_its_own_words(
    client: FlaskClient, body: bytes, status: int
) -> None:
    content_type = "multipart/related; boundary=B"
    answer = client.post(f"/mm7/{CHANNEL_KEY}", data=body, content_type=content_type)
    assert answer.status_code == 200
    assert f"<StatusCode>{status}</StatusCode>".encode() in answer.data


@pytest.mark.parametrize(
    "at", ["channels.mms.mm7.parse", "channels.mms.routes.take", "cases.pressure.Pressure.too_much"]
)
@pytest.mark.parametrize("error", [RecursionError, MemoryError, UnicodeError, OSError])
def test_mm7_says_in_its_own_words_what_nobody_thought_of(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, at: str, error: type[Exception]
) -> None:
    def broken(*_: object) -> None:
        raise error("here")

    monkeypatch.setattr(f"gateway.{at}", broken)
    code, answer = _mm7(client)
    assert code == 200
    assert f"<StatusCode>{mm7.SERVER_ERROR}</StatusCode>".encode() in answer


def test_mm7_refuses_what_is_no_photo(client: FlaskClient, context: Context) -> None:
    code, answer = _mm7(client)  # its pictures are not pictures
    assert code == 200
    assert b"<StatusCode>2004</StatusCode>" in answer
    assert _count(context, Case) == 0


def test_a_full_line_before_the_decoder_asks_to_come_again(client: FlaskClient) -> None:
    out = io.BytesIO()
    Image.new("RGB", (320, 240)).save(out, "PNG")
    with contextlib.ExitStack() as line:
        for _ in range(1 + WAITING):
            line.enter_context(guard._seats.one(""))
        assert _direct(client, house.photo(1), out.getvalue()).status_code == 503
    again = _direct(client, house.photo(1), out.getvalue())
    assert (again.status_code, again.get_json()["photos"]) == (200, 2)
