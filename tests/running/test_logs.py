"""What a log line shows, and what it must never show."""

from __future__ import annotations

import json
import logging
import re

import pytest
from flask.testing import FlaskClient

from gateway import trace
from gateway.running.logs import JsonLine, Line, Mask, secrets_of
from gateway.settings import Settings

KEY = "kB3-9xQ_channel"
MASK = Mask([KEY, "pa/ss wörd", ""])

PERSONAL = [
    "+250788123456",
    "%2B250788123456",
    "%2b250788123456",
    "+250 788 123 456",
    "+250 (788) 123-456",
    "+250.788.123.456",
    "250788123456",
    "0788123456",
    "078812345",
    "+٢٥٠٧٨٨١٢٣٤٥٦",
    KEY,
    "pa/ss wörd",
    "pa%2Fss%20w%C3%B6rd",
]

HARMLESS = [
    "2026-11-24T08:12:02.123456Z",
    "2026-11-24 08:12:02,123",
    "ATXid_12345678901234567890",
    "ATUid_9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "case B7K2M9X",
    "took 12345678 ms",
    "1764000000.123456",
    "10.0.0.1:8000",
    "deadbeef0123456789abcdef0123456789abcdef",
    "*384*123#",
]


@pytest.mark.parametrize("text", PERSONAL)
@pytest.mark.parametrize("around", ["{}", "to {}.", "<{}>", "'{}',", "phone={}&text=", "tel:{}"])
def test_numbers_and_secrets_are_masked(text: str, around: str) -> None:
    masked = MASK(around.format(text))
    assert text not in masked
    assert not any(part in masked for part in ("788", "٧٨٨", "channel", "rd"))


@pytest.mark.parametrize("text", HARMLESS)
def test_other_figures_stay(text: str) -> None:
    assert MASK(text) == text


def test_a_path_keeps_what_is_not_secret() -> None:
    assert MASK(f"POST /africastalking/{KEY}/ussd") == "POST /africastalking/[secret]/ussd"


def test_a_password_is_masked_as_a_form_spells_it() -> None:
    mask = Mask(["pass word&1"])
    for spelt in ("pass word&1", "pass%20word%261", "pass+word%261"):
        assert mask(f"GET /send?password={spelt}&to=x") == "GET /send?password=[secret]&to=x"


def _record(text: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    return logging.LogRecord("gateway.jobs", logging.WARNING, __file__, 1, text, args, info)


@pytest.mark.parametrize("format_class", [Line, JsonLine])
def test_arguments_and_tracebacks_are_masked_too(format_class: type[Line]) -> None:
    record = _record("sms to %s", "+250788123456", error=ValueError(f"bad {KEY} 0788123456"))
    line = format_class("worker-1", MASK).format(record)
    assert "788123456" not in line  # the whole number: a time of day may hold any three figures
    assert KEY not in line
    assert "ValueError" in line
    assert "worker-1" in line


def test_a_json_line_is_one_object() -> None:
    line = JsonLine("web", MASK).format(_record('two\nlines "quoted" é'))
    assert "\n" not in line
    assert json.loads(line)["text"] == 'two\nlines "quoted" é'
    assert json.loads(line)["time"].endswith("+00:00")


def test_a_json_line_has_a_field_for_each_name() -> None:
    text = "judged case=K7MX2PQ photo=12 text=no time=never\nTraceback x=1"
    with trace.about(request="0123456789abcdef"):
        fields = json.loads(JsonLine("worker-1", MASK).format(_record(text)))
    assert fields["event"] == "judged"
    assert (fields["case"], fields["photo"]) == ("K7MX2PQ", "12")
    assert fields["request"] == "0123456789abcdef"
    assert fields["text"] == text
    assert fields["time"] != "never"
    assert "x" not in fields


def test_fields_are_masked_too() -> None:
    with trace.about(phone="+250788123456"):
        for kind in (Line, JsonLine):
            assert "788123456" not in kind("web", MASK).format(_record("x to=+250788123456"))


def test_a_line_says_what_it_is_about_once() -> None:
    with trace.about(photo=12):
        line = Line("worker-1", MASK).format(_record("store_away photo=12"))
        other = Line("worker-1", MASK).format(_record("nothing of it"))
    assert line.count("photo=12") == 1
    assert other.endswith("nothing of it photo=12")
    assert "photo=" not in Line("worker-1", MASK).format(_record("afterwards"))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("proxy-0123456789", True),
        ("", False),
        ("short", False),
        ("a" * 65, False),
        ('x"y=z 12345', False),
    ],
)
def test_a_request_keeps_the_name_that_the_proxy_gave(
    client: FlaskClient, given: str, kept: bool
) -> None:
    answer = client.get("/health/live", headers={"X-Request-ID": given})
    name = answer.headers["X-Request-ID"]
    assert (name == given) is kept
    assert re.fullmatch(r"[0-9A-Za-z_-]{8,64}", name)


def test_every_secret_setting_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "LEAFLINE_CHANNEL_KEYS": "first-channel-key,second-channel-key",
        "LEAFLINE_SECRET_KEY": "a-key-of-thirty-two-bytes-or-more",
        "AT_API_KEY": "atsk_12345",
        "SENTRY_DSN": "https://public@sentry.invalid/1",
        "DATABASE_URL": "postgresql://leafline:store-password@db/leafline",
        "REDIS_URL": "redis://:queue-password@redis:6379/0",
        "LEAFLINE_TWILIO_AUTH_TOKEN": "twilio-token",
        "LEAFLINE_SMTP_URL": "smtp://leafline:mail-password@mail.invalid:587",
        "LEAFLINE_OPERATOR_EMAIL": "operator@mail.invalid",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    mask = Mask(secrets_of(Settings.read(_env_file=None)))
    text = mask(" ".join(given.values()))
    for secret in ("first-", "second-", "a-key", "atsk", "sentry", "-password", "twilio"):
        assert secret not in text
    assert "mail-password" not in mask("logging in as leafline with mail-password")
