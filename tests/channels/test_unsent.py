"""An error before anything left is never of unknown fate; one after it may be."""

from __future__ import annotations

import pytest

from gateway.channels.africastalking.client import Client
from gateway.outbox.network import Outcome
from gateway.settings import Settings, SettingsError

NUMBER = "+250788000001"


@pytest.mark.parametrize(
    "key", ["abc\n", "a\rb", "\u201cabc\u201d", "k\u00e9y\u4e00", "a\x00b", " abc"]
)
@pytest.mark.parametrize("sender", ["", "LEAF"])
def test_a_key_that_is_no_header(key: str, sender: str) -> None:
    client = Client("leaf", key, base_url="http://127.0.0.1:9", sender_id=sender, timeout=2)
    result = client.send(NUMBER, "Looks like rust")
    assert result.outcome in (Outcome.CHANNEL_DOWN, Outcome.RETRYABLE), result
    held, reason = client.balance()
    assert held is None
    assert reason in ("not_sent", "no_answer")


@pytest.mark.parametrize(
    "host", ["http://" + "a" * 70 + ".example", "https://[::1", "https://a..b"]
)
def test_an_address_that_is_none(host: str) -> None:
    try:
        client = Client("leaf", "key", base_url=host, timeout=2)
    except (SettingsError, ValueError):
        return  # refused at the start
    result = client.send(NUMBER, "Looks like rust")
    assert result.outcome in (Outcome.CHANNEL_DOWN, Outcome.RETRYABLE), result


PASTED = [
    ("key-of-ours\n", "key-of-ours"),
    ("  key-of-ours \r\n", "key-of-ours"),
    ("\u201ckey-of-ours\u201d", "key-of-ours"),
    ("'key-of-ours'", "key-of-ours"),
    ("\ufeffkey-of-ours\u200b", "key-of-ours"),
    ("\u00a0key-of-ours\u2069", "key-of-ours"),
    ("\u00abkey-of-ours\u00bb", "key-of-ours"),
]
NAMES = {
    "AT_API_KEY": "at_api_key",
    "LEAFLINE_TWILIO_AUTH_TOKEN": "twilio_auth_token",
    "LEAFLINE_SECRET_KEY": "secret_key",
}


@pytest.mark.parametrize(("given", "meant"), PASTED)
@pytest.mark.parametrize("name", NAMES)
def test_what_was_copied_along_is_not_the_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, meant: str
) -> None:
    long = {"LEAFLINE_SECRET_KEY": "-1234567890-abcdefghij-klmnopqr"}.get(name, "")
    monkeypatch.setenv(name, given.replace("key-of-ours", "key-of-ours" + long))
    read = getattr(Settings.read(_env_file=None), NAMES[name]).get_secret_value()
    assert read == meant + long


@pytest.mark.parametrize(("given", "meant"), PASTED)
def test_also_of_each_of_several(monkeypatch: pytest.MonkeyPatch, given: str, meant: str) -> None:
    more = "-and-its-long-end-2"
    given, meant = given.replace("ours", "ours" + more), meant + more
    monkeypatch.setenv("LEAFLINE_CHANNEL_KEYS", f"first-key-of-the-house-1, {given}")
    keys = [key.get_secret_value() for key in Settings.read(_env_file=None).channel_keys]
    assert keys == ["first-key-of-the-house-1", meant]


def test_also_of_addresses_with_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "\u201cpostgresql://u:p@db/leaf\u201d\n")
    monkeypatch.setenv("REDIS_URL", "'redis://redis:6379/1' ")
    settings = Settings.read(_env_file=None)
    assert settings.store_url == "postgresql+psycopg://u:p@db/leaf"
    assert settings.queue_url == "redis://redis:6379/1"


@pytest.mark.parametrize("name", [*NAMES, "LEAFLINE_CHANNEL_KEYS"])
@pytest.mark.parametrize("inside", ["\n", "\u201d", "\u200b", "\t"])
def test_what_is_left_inside_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, inside: str
) -> None:
    monkeypatch.setenv(name, f"secret-begin-of-a-key{inside}secret-end-of-a-key")
    with pytest.raises(SettingsError, match=name) as refusal:
        Settings.read(_env_file=None)
    assert "secret-" not in str(refusal.value)


@pytest.mark.parametrize("key", ["two words", "cl\u00e9"])
def test_what_goes_into_a_header_has_its_letters(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("AT_API_KEY", key)
    with pytest.raises(SettingsError, match="AT_API_KEY"):
        Settings.read(_env_file=None)
