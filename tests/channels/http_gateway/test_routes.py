"""What a gateway calls us with: by GET or POST, under its own names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from gateway.app import create_app
from gateway.context import Context
from gateway.settings import Settings
from gateway.store.models import DeliveryReport, Message
from tests.conftest import CHANNEL_KEY

PHONE = "+250788000001"
BASE = f"/http-gateway/{CHANNEL_KEY}"
Door = Callable[..., tuple[FlaskClient, Context]]


@pytest.fixture
def door(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Door:
    """Makes a door whose gateway is as the given settings say."""

    def make(**given: str) -> tuple[FlaskClient, Context]:
        for name, value in given.items():
            monkeypatch.setenv(f"LEAFLINE_HTTP_GATEWAY_{name.upper()}", value)
        app: Flask = create_app(settings)
        return app.test_client(), app.extensions["leafline"]

    return make


def texts(context: Context) -> list[str | None]:
    with context.store.reading() as session:
        query = select(Message.text).where(Message.direction == "in").order_by(Message.id)
        return list(session.scalars(query))


def reports(context: Context) -> list[tuple[str, str, str]]:
    with context.store.reading() as session:
        rows = session.scalars(select(DeliveryReport).order_by(DeliveryReport.id))
        return [(row.provider_id, row.fate, row.reason) for row in rows]


def test_kannel_calls_by_get(door: Door) -> None:
    client, context = door()
    sms = {
        "id": "9ace",
        "from": PHONE,
        "to": "384",
        "text": "HELP é+",
        "date": "2026-11-28 14:03:10",
    }
    answer = client.get(f"{BASE}/sms", query_string=sms)
    assert (answer.status_code, answer.text) == (200, "")  # any word would go to the farmer
    answer = client.get(f"{BASE}/report?ref=abc&status=1&phone=%2B250788000001")
    assert (answer.status_code, answer.text) == (200, "")
    assert texts(context) == ["HELP é+"]
    assert reports(context) == [("http_gateway:abc", "delivered", "")]
    with context.store.reading() as session:
        (row,) = session.scalars(select(Message).where(Message.direction == "in"))
    assert row.sent_at == datetime(2026, 11, 28, 14, 3, 10, tzinfo=UTC)


def test_jasmin_posts_and_wants_its_own_word(door: Door) -> None:
    client, context = door(speaks="jasmin")
    sms = {"id": "j1", "from": PHONE[1:], "to": "384", "content": "HELP", "coding": "0"}
    form = {"id": "jasmin's", "message_status": "UNDELIV", "level": "2"}
    for answer in (
        client.post(f"{BASE}/sms", data=sms),
        client.post(f"{BASE}/report?ref=ours", data=form),
    ):
        assert (answer.status_code, answer.text) == (200, "ACK/Jasmin")
    assert texts(context) == ["HELP"]
    assert reports(context) == [("http_gateway:ours", "failed", "delivery_failure")]


def test_a_text_in_ucs2_is_read_from_its_bytes(door: Door) -> None:
    client, context = door(speaks="jasmin")
    sms = {"id": "j1", "from": PHONE, "content": "?", "coding": "8",
           "binary": "Ŋambo ✓".encode("utf-16-be").hex()}  # fmt: skip
    client.post(f"{BASE}/sms", data=sms)
    client.post(f"{BASE}/sms", data=sms | {"id": "j2", "binary": "no hex"})
    assert texts(context) == ["Ŋambo ✓", ""]


def test_names_and_words_of_ones_own(door: Door) -> None:
    client, context = door(
        names="id=msgid, from=msisdn, text=body, status=dlr",
        statuses="OK=delivered, OFF=absent, BAD=failed:no_such_number, 1=way",
        answer="done",
    )
    sms = {"msgid": "1", "msisdn": PHONE, "body": "x" * 3000}
    assert client.post(f"{BASE}/sms", data=sms).text == "done"
    assert texts(context)[0] is not None
    for number, word in enumerate(["ok", "OFF", "BAD", "1", "?"]):
        client.get(f"{BASE}/report?msgid={number}&dlr={word}")
    assert [(fate, reason) for _, fate, reason in reports(context)] == [
        ("delivered", ""), ("absent", ""), ("failed", "no_such_number"), ("", ""), ("", ""),
    ]  # fmt: skip


def test_an_sms_without_an_id_counts_once(door: Door) -> None:
    client, context = door()
    for date in ("2026-11-28 14:03:10", "2026-11-28 14:03:10", "2026-11-28 15:00:00"):
        client.get(f"{BASE}/sms", query_string={"from": PHONE, "text": "HELP", "date": date})
    assert texts(context) == ["HELP"] * 2


@pytest.mark.parametrize(
    "query", ["", "from=%00&text=%00", "from=" + "9" * 999, "id=" + "i" * 999 + "&from=x"]
)
def test_nonsense_is_taken_and_dropped(door: Door, query: str) -> None:
    client, context = door()
    for part in ("sms", "report"):
        assert client.get(f"{BASE}/{part}?{query}").status_code == 200
        assert (
            client.post(f"{BASE}/{part}", data=b"\xff\x00", content_type="text/odd").status_code
            == 200
        )
    assert texts(context) == []
    assert reports(context) == []


def test_long_ids_are_kept_apart(door: Door) -> None:
    client, context = door()
    for last in "ab":
        client.get(f"{BASE}/report", query_string={"ref": "i" * 199 + last, "status": "1"})
    kept = [provider_id for provider_id, _, _ in reports(context)]
    assert len(set(kept)) == 2
    assert all(len(provider_id) <= 80 for provider_id in kept)
