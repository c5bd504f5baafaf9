"""A key opens its channel and no other; two are valid at a time."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import CliRunner
from flask.testing import FlaskClient

from gateway.app import create_app
from gateway.channels import channel_keys
from gateway.channels.channel_keys import CHANNELS, Channel
from gateway.cli import main
from gateway.settings import Settings, SettingsError
from gateway.store.base import now

DOORS: dict[Channel, tuple[str, ...]] = {
    "ussd": ("/africastalking/{}/ussd", "/africastalking/{}/ussd-events"),
    "sms": ("/africastalking/{}/sms", "/africastalking/{}/opt-outs", "/http-gateway/{}/sms"),
    "reports": ("/africastalking/{}/delivery-reports", "/http-gateway/{}/report"),
    "mms": ("/mms/{}",),
    "mm7": ("/mm7/{}",),
}


@pytest.fixture
def settings(sqlite_url: str, tmp_path: Path) -> Settings:
    return Settings.read(home=tmp_path / "home", DATABASE_URL=sqlite_url)


def opened(client: FlaskClient, key: str, **where: str) -> set[str]:
    """Which channels a key opens."""
    return {
        channel
        for channel, paths in DOORS.items()
        for path in paths
        if client.post(path.format(key), environ_overrides=where).status_code != 404
    }


def test_a_key_of_a_new_home_opens_its_channel_alone(settings: Settings) -> None:
    client = create_app(settings).test_client()
    keys = {channel: channel_keys.first(settings, channel) for channel in CHANNELS}
    assert len(set(keys.values())) == len(CHANNELS)
    for channel, key in keys.items():
        assert opened(client, key) == {channel}
    assert not (settings.home / "channel-key").exists()
    for path in (settings.home / "channel-keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_key_of_an_older_home_opens_all_until_a_channel_has_its_own(
    settings: Settings,
) -> None:
    old = settings.kept_secret("channel_key")
    client = create_app(settings).test_client()
    assert opened(client, old) == set(CHANNELS)
    new = channel_keys.rotate(settings, "ussd", None)
    assert opened(client, new) == {"ussd"}
    assert opened(client, old) == set(CHANNELS)
    assert channel_keys.drop_old(settings, "ussd") == 1
    assert opened(client, old) == set(CHANNELS) - {"ussd"}
    assert channel_keys.first(settings, "ussd") == new


def test_keys_that_are_set(settings: Settings) -> None:
    both = settings.model_dump() | {
        "channel_keys": "a-key-for-all-channels", "sms_keys": "the-newer-sms-key,the-older-sms-key",
    }  # fmt: skip
    given = type(settings).model_validate(both)
    client = create_app(given).test_client()
    assert opened(client, "a-key-for-all-channels") == set(CHANNELS)
    assert opened(client, "the-newer-sms-key") == {"sms"}
    assert opened(client, "the-older-sms-key") == {"sms"}
    assert channel_keys.first(given, "sms") == "the-newer-sms-key"
    with pytest.raises(SettingsError, match="LEAFLINE_SMS_KEYS"):
        channel_keys.rotate(given, "sms", None)


def test_rotating_by_command_needs_no_restart(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFLINE_HOME", str(settings.home))
    monkeypatch.setenv("LEAFLINE_PUBLIC_URL", "https://leaf.example.rw/")
    client = create_app(settings).test_client()

    def rotate(*words: str) -> str:
        answer = CliRunner().invoke(main, ["keys", "channel", "rotate", *words])
        assert answer.exit_code == 0, answer.output
        return answer.output

    first = channel_keys.first(settings, "sms")
    output = rotate("sms", "--keep-hours", "48")
    second = channel_keys.first(settings, "sms")
    assert f"https://leaf.example.rw/africastalking/{second}/sms\n" in output
    assert f"https://leaf.example.rw/africastalking/{second}/opt-outs\n" in output
    assert [opened(client, key) for key in (first, second)] == [{"sms"}, {"sms"}]
    with time_machine.travel(now() + timedelta(hours=49)):
        assert [opened(client, key) for key in (first, second)] == [set(), {"sms"}]
    rotate("sms")
    third = channel_keys.first(settings, "sms")
    # Two are valid at most.
    assert [opened(client, key) for key in (first, second, third)] == [set(), {"sms"}, {"sms"}]
    rotate("sms", "--drop-old")
    assert [opened(client, key) for key in (second, third)] == [set(), {"sms"}]
    assert second not in CliRunner().invoke(main, ["keys", "channel", "list"]).output


@pytest.mark.parametrize(
    ("networks", "caller", "taken"),
    [("", "203.0.113.9", True), ("203.0.113.0/24", "203.0.113.9", True),
     ("203.0.113.0/24, 2001:db8::/32", "2001:db8::1", True),
     ("203.0.113.0/24", "::ffff:203.0.113.9", True),
     ("203.0.113.0/24", "198.51.100.1", False), ("203.0.113.0/24", "", False)],
)  # fmt: skip
def test_callbacks_come_from_networks_that_are_named(
    settings: Settings, networks: str, caller: str, taken: bool
) -> None:
    given = type(settings).model_validate(settings.model_dump() | {"channel_addresses": networks})
    client = create_app(given).test_client()
    key = channel_keys.first(given, "ussd")
    assert opened(client, key, REMOTE_ADDR=caller) == ({"ussd"} if taken else set())


@pytest.mark.parametrize("networks", ["10.0.0.1/8", "everywhere", "10.0.0.0/40"])
def test_a_network_that_is_none_is_refused(networks: str) -> None:
    with pytest.raises(SettingsError, match="LEAFLINE_CHANNEL_ADDRESSES"):
        Settings.read(channel_addresses=networks)


def test_a_file_that_is_no_key_says_what_to_do(settings: Settings) -> None:
    channel_keys.first(settings, "mms")
    (settings.home / "channel-keys" / "mms").write_text("key not-a-time\n")
    with pytest.raises(SettingsError, match="channel-keys/mms"):
        channel_keys.first(settings, "mms")
