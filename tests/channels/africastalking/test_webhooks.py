"""What is posted to us: as documented, and as anybody may post it to an address that leaked."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from gateway.channels.africastalking import webhooks
from gateway.context import Context
from gateway.dialogue import sms, ussd
from gateway.people import farmers
from gateway.store.models import DeliveryReport, Message, UssdSession
from tests.conftest import CHANNEL_KEY

PHONE = "+250788000001"
BASE = f"/africastalking/{CHANNEL_KEY}"
PATHS = ("/ussd", "/ussd-events", "/sms", "/delivery-reports", "/opt-outs")
FORM = "application/x-www-form-urlencoded"
BYE = ussd.Reply("END x", "bye en")
USSD = {
    "sessionId": "ATUid_a1",
    "serviceCode": "*384*123#",
    "phoneNumber": PHONE,
    "networkCode": "99999",
    "text": "",
}
SMS = {
    "date": "2026-11-24 06:04:45",
    "from": PHONE,
    "id": "0a1b",
    "linkId": "",
    "text": "HELP",
    "to": "384",
    "cost": "KES 1.00",
    "networkCode": "99999",
}
REPORT = {"id": "ATXid_1", "status": "Success", "phoneNumber": PHONE, "networkCode": "63510"}
EVENT = {
    "date": "2026-11-24 09:00:01",
    "sessionId": "ATUid_a1",
    "serviceCode": "*384*123#",
    "networkCode": "63510",
    "phoneNumber": PHONE,
    "status": "Incomplete",
    "cost": "KES 0.10",
    "durationInMillis": "12000",
    "hopsCount": "3",
    "hopsMetadata": "main en|advice_crop en|" + "advice_maize en|" * 100,
    "input": "1*2",
    "lastAppResponse": "CON ...",
}


@pytest.fixture
def web(any_context: Context) -> FlaskClient:
    """The webhooks alone, on SQLite and then on PostgreSQL."""
    app = Flask("webhooks")
    app.register_blueprint(webhooks.blueprint(any_context))
    return app.test_client()


def post(web: FlaskClient, path: str, form: Mapping[str, str], **changes: str) -> TestResponse:
    return web.post(BASE + path, data=dict(form) | changes)


def count(context: Context, model: type[Any]) -> int:
    with context.store.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


# The key


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "key", ["x", CHANNEL_KEY[:-1], CHANNEL_KEY + "x", "%00", "ключ", "a" * 9000]
)
def test_a_wrong_key_is_nothing_here(client: FlaskClient, path: str, key: str) -> None:
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "text/html"}):
        answer = client.post(f"/africastalking/{key}{path}", data=USSD, headers=headers)
        assert answer.status_code == 404
        assert b"CON" not in answer.data


def test_two_keys_may_be_valid_at_a_time(any_context: Context) -> None:
    from dataclasses import replace

    settings = any_context.settings.model_validate(
        any_context.settings.model_dump() | {"channel_keys": "old-key,new-key"}
    )
    app = Flask("two")
    app.register_blueprint(webhooks.blueprint(replace(any_context, settings=settings)))
    web = app.test_client()
    statuses = [
        web.post(f"/africastalking/{key}/sms", data=SMS).status_code
        for key in ("old-key", "new-key", CHANNEL_KEY)
    ]
    assert statuses == [200, 200, 404]


def test_the_body_is_not_read_before_the_key_is_right(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_request: object) -> dict[str, str]:
        raise AssertionError("the body was read")

    monkeypatch.setattr("gateway.channels.africastalking.fields.form", read)
    assert client.post("/africastalking/wrong/sms", data=SMS).status_code == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_tell_nothing(client: FlaskClient, path: str, method: str) -> None:
    right = client.open(BASE + path, method=method)
    wrong = client.open("/africastalking/wrong" + path, method=method)
    assert right.status_code == wrong.status_code == 405
    assert right.data == wrong.data


# USSD: always 200, text/plain, CON or END

BODIES: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", FORM),
    "no content type": ("sessionId=a", ""),
    "json": ('{"sessionId": "a", "phoneNumber": "+250788000001", "text": ""}', "application/json"),
    "no session": ("phoneNumber=%2B250788000001&text=", FORM),
    "blank session": ("sessionId=+&phoneNumber=%2B250788000001&text=", FORM),
    "no phone": ("sessionId=a&text=", FORM),
    "bad phone": ("sessionId=a&phoneNumber=12&text=", FORM),
    "no text": ("sessionId=a&phoneNumber=%2B250788000001", FORM),
    "repeated fields": (
        "sessionId=a&sessionId=b&phoneNumber=%2B250788000001&text=&text=1*2&text=3",
        FORM,
    ),
    "1 MB of text": ("sessionId=a&phoneNumber=%2B250788000001&text=" + "1*" * 500_000, FORM),
    "5 MB of text": ("sessionId=a&phoneNumber=%2B250788000001&text=" + "1" * 5_000_000, FORM),
    "1 MB of session id": (
        "phoneNumber=%2B250788000001&text=&sessionId=" + "a" * 1_000_000,
        FORM,
    ),
    "not utf-8": (b"sessionId=a&phoneNumber=%2B250788000001&text=%FF%FE\xff", FORM),
    "nul": ("sessionId=a%00b&phoneNumber=%2B250788000001&text=%00", FORM),
    "surrogates": ("sessionId=%ED%A0%80&phoneNumber=%2B250788000001&text=%ED%A0%80", FORM),
    "unicode digits": (
        "sessionId=a&phoneNumber=%2B250788000001&text=\u0661*\uff11".encode(),
        FORM,
    ),
    "10000 fields": ("&".join(f"f{n}=1" for n in range(10_000)), FORM),
    "broken multipart": (
        "--x\r\nContent-Disposition: form-data",
        "multipart/form-data; boundary=x",
    ),
    "no boundary": ("x", "multipart/form-data"),
    "charset": (
        "sessionId=a&phoneNumber=%2B250788000001&text=",
        FORM + "; charset=utf-16",
    ),
    "deep path": ("sessionId=a&phoneNumber=%2B250788000001&text=9*9*9*9*9*9*9", FORM),
    "only stars": ("sessionId=a&phoneNumber=%2B250788000001&text=****%23*", FORM),
}


@pytest.mark.parametrize("name", list(BODIES))
def test_ussd_answers_a_screen_whatever_is_posted(client: FlaskClient, name: str) -> None:
    body, kind = BODIES[name]
    answer = client.post(f"{BASE}/ussd", data=body, content_type=kind)
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert answer.data.startswith((b"CON ", b"END "))
    assert len(answer.get_data(as_text=True)) <= 160


def test_ussd_survives_an_error_of_ours_and_says_so(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: object) -> str:
        raise RuntimeError("a bug")

    monkeypatch.setattr(webhooks.ussd, "answer", broken)
    answer = client.post(f"{BASE}/ussd", data=USSD)
    assert answer.status_code == 200
    assert answer.data.startswith(b"END ")
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize(
    "phone",
    ["%2B250788000001", "+250788000001", "250788000001", "%20250788000001", "0788000001",
     "%2B250+788+000+001", "%2B%D9%A2%D9%A5%D9%A0788000001"],
)  # fmt: skip
def test_one_number_however_it_is_written(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, phone: str
) -> None:
    phones: list[str] = []
    monkeypatch.setattr(
        webhooks.ussd, "answer", lambda _line, asked: phones.append(asked.phone) or BYE
    )
    body = f"sessionId=a&phoneNumber={phone}&text="
    client.post(f"{BASE}/ussd", data=body, content_type=FORM)
    assert phones == [PHONE]


def test_what_the_subscriber_typed_comes_through_whole(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    monkeypatch.setattr(
        webhooks.ussd, "answer", lambda _line, asked: texts.append(asked.text) or BYE
    )
    body = "sessionId=a&phoneNumber=%2B250788000001&text=1*maize%20%26%20beans%2B%C5%8B"
    client.post(f"{BASE}/ussd", data=body, content_type=FORM)
    assert texts == ["1*maize & beans+ŋ"]


def test_the_documented_session(client: FlaskClient) -> None:
    first = post(client, "/ussd", USSD).data
    assert first.startswith(b"CON ")
    assert post(client, "/ussd", USSD).data == first
    one = post(client, "/ussd", USSD, text="1").data
    two = post(client, "/ussd", USSD, text="1*1").data
    assert len({first, one, two}) == 3
    assert post(client, "/ussd", USSD, text="1*1", networkCode="dialoguss").data == two


def test_each_screen_is_named_to_the_network(client: FlaskClient) -> None:
    labels = [
        post(client, "/ussd", USSD, text=text).headers["at-ussd-hop-metadata"]
        for text in ("", "3", "3", "3*1", "3*1*4*1")
    ]
    assert labels == [
        "language_first en",
        "consent en",
        "consent en",  # the stored reply of a repeated hop
        "main en",
        "area_district en",  # the field is asked about before an officer is
    ]
    no_session = post(client, "/ussd", USSD, sessionId="").headers["at-ussd-hop-metadata"]
    assert no_session == "trouble en"


def test_no_label_is_longer_than_the_network_takes(any_context: Context) -> None:
    menu = any_context.ussd.menu
    names = [*menu.screens, *any_context.catalogue.keys_of("ussd_")]
    for name in names:
        assert re.fullmatch(r"[a-z_]{1,90}", name)
    assert all(len(language) <= 8 for language in any_context.catalogue.languages)


# The others: 200 whatever they say, once whatever how often


@pytest.mark.parametrize("path", PATHS[1:])
@pytest.mark.parametrize("name", list(BODIES))
def test_callbacks_are_taken_whatever_they_say(client: FlaskClient, path: str, name: str) -> None:
    body, kind = BODIES[name]
    assert client.post(BASE + path, data=body, content_type=kind).status_code == 200


def test_an_sms_is_kept_once_however_often_and_however_parallel(
    web: FlaskClient, any_context: Context
) -> None:
    app = web.application
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(app.test_client(), "/sms", SMS), range(24)))
    assert {answer.status_code for answer in answers} == {200}
    with any_context.store.reading() as session:
        received = session.scalars(select(Message).where(Message.direction == "in")).all()
        assert [(row.address, row.text) for row in received] == [(PHONE, "HELP")]
        replies = session.scalars(select(Message).where(Message.direction == "out")).all()
        assert len(replies) == 1


def test_an_sms_without_an_id_is_known_again(web: FlaskClient, any_context: Context) -> None:
    for text in ("HELP", "HELP", "STOP"):
        post(web, "/sms", SMS, id="", text=text)
    with any_context.store.reading() as session:
        keys = session.scalars(select(Message.key).where(Message.direction == "in")).all()
    assert len(keys) == 2


@pytest.mark.parametrize(
    "date",
    ["2026-11-24T06:04:45Z", "2026-11-24 06:04:45", "2026-11-24T06:04:45.000Z",
     "2026-11-24T09:04:45+03:00"],
)  # fmt: skip
def test_dates_come_in_several_forms(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, date: str
) -> None:
    dates: list[str] = []
    monkeypatch.setattr(
        sms, "receive", lambda _parts, incoming: dates.append(incoming.date.isoformat())
    )
    post(client, "/sms", SMS, date=date)
    assert dates == ["2026-11-24T06:04:45+00:00"]


@pytest.mark.parametrize("date", ["", "yesterday", "2026-13-45 99:99:99", "9" * 500])
def test_an_unreadable_date_is_now(client: FlaskClient, date: str) -> None:
    assert post(client, "/sms", SMS, date=date).status_code == 200


def test_reports_are_kept_also_with_a_status_nobody_knows(
    web: FlaskClient, any_context: Context
) -> None:
    for status in ("Success", "Success", "SUCCESS ", "Teleported"):
        assert post(web, "/delivery-reports", REPORT, status=status).status_code == 200
    with any_context.store.reading() as session:
        kept = {row.status: row.fate for row in session.scalars(select(DeliveryReport))}
    assert kept == {"Success": "delivered", "SUCCESS": "delivered", "Teleported": ""}


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("UserInBlackList", "blacklisted"),
        ("UserInBlacklist", "blacklisted"),
        ("NotNetworkSubcriber", "other_network"),
        ("NotNetworkSubscriber", "other_network"),
        ("DeliveryFailure", "delivery_failure"),
        ("SomethingNew", "SomethingNew"),
    ],
)
def test_reasons_in_both_spellings(
    web: FlaskClient, any_context: Context, reason: str, kept: str
) -> None:
    post(web, "/delivery-reports", REPORT, status="Failed", failureReason=reason)
    with any_context.store.reading() as session:
        assert session.scalars(select(DeliveryReport.reason)).all() == [kept]


@pytest.mark.parametrize("changes", [{"id": ""}, {"id": "None"}, {"status": ""}])
def test_a_report_about_nothing_is_dropped(
    web: FlaskClient, any_context: Context, changes: dict[str, str]
) -> None:
    assert post(web, "/delivery-reports", REPORT, **changes).status_code == 200
    assert count(any_context, DeliveryReport) == 0


def test_the_end_of_a_session_is_kept_once(web: FlaskClient, any_context: Context) -> None:
    post(web, "/ussd-events", EVENT)
    post(web, "/ussd-events", EVENT, status="Success")
    with any_context.store.reading() as session:
        row = session.scalars(select(UssdSession)).one()
    assert (row.session_id, row.status, row.hops, row.duration_ms, row.cost) == (
        "ATUid_a1",
        "Incomplete",
        3,
        12000,
        "KES 0.10",
    )
    assert row.ended_at.isoformat() == "2026-11-24T09:00:01+00:00"
    assert row.screens.startswith("main en|advice_crop en|advice_maize en|")
    assert len(row.screens) == 1000


def test_an_end_with_nothing_but_its_session_is_kept(
    web: FlaskClient, any_context: Context
) -> None:
    web.post(f"{BASE}/ussd-events", data={"sessionId": "x", "hopsCount": "many", "date": "?"})
    with any_context.store.reading() as session:
        assert session.scalars(select(UssdSession.hops)).all() == [None]


def test_an_opt_out_at_the_network_is_one_here(web: FlaskClient, any_context: Context) -> None:
    for _ in range(2):
        assert post(web, "/opt-outs", {"senderId": "384", "phoneNumber": PHONE}).status_code == 200
    with any_context.store.reading() as session:
        farmer = farmers.find(session, PHONE)
        assert farmer is not None
        assert farmer.opted_out_at is not None


# What never gets into a log


@pytest.mark.parametrize("break_it", [False, True])
def test_no_key_number_or_text_gets_into_a_log(
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    break_it: bool,
) -> None:
    if break_it:

        def broken(*_args: object, **_options: object) -> None:
            raise OperationalError("INSERT", {"phone": PHONE, "text": "zebra"}, Exception(PHONE))

        monkeypatch.setattr("gateway.store.database.Store.transaction", broken)
    caplog.set_level(logging.DEBUG)
    for path, form in (("/sms", SMS), ("/ussd", USSD), ("/delivery-reports", REPORT)):
        post(client, path, form, text="zebra", linkId="zebra")
        post(client, path, form, phoneNumber="zebra 0788000001", **{"from": "zebra 0788000001"})
    assert CHANNEL_KEY not in caplog.text
    assert "788000001" not in caplog.text
    assert "zebra" not in caplog.text
