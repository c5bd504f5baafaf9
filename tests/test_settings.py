from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("LEAFLINE_PORT", "eighty", "LEAFLINE_PORT"),
        ("LEAFLINE_PORT", "99999", "LEAFLINE_PORT"),
        ("LEAFLINE_REGION", "Rwanda", "LEAFLINE_REGION"),
        ("LEAFLINE_USSD_CODE", "384", "LEAFLINE_USSD_CODE"),
        ("LEAFLINE_CHANNEL_KEYS", "a/b", "LEAFLINE_CHANNEL_KEYS"),
        ("LEAFLINE_SIMULATOR", "maybe", "LEAFLINE_SIMULATOR"),
        ("LEAFLINE_WORKERS", "0", "LEAFLINE_WORKERS"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        Settings.read()
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_secret_is_never_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAFLINE_CHANNEL_KEYS", "very/secret")
    with pytest.raises(SettingsError) as error:
        Settings.read()
    assert "very" not in str(error.value)


def test_names_that_everybody_knows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@db/leaf")
    monkeypatch.setenv("REDIS_URL", "redis://redis:6379/1")
    monkeypatch.setenv("AT_API_KEY", "key")
    settings = Settings.read()
    assert settings.store_url == "postgresql+psycopg://u:p@db/leaf"
    assert settings.queue_url == "redis://redis:6379/1"
    assert not settings.simulator_on
    assert "u:p" not in repr(settings)
    assert "'key'" not in repr(settings)


def test_out_of_the_box_everything_lies_in_the_home(tmp_path: Path) -> None:
    settings = Settings.read(home=tmp_path)
    assert settings.store_url.startswith(f"sqlite:///{tmp_path}")
    assert str(tmp_path) in settings.queue_url
    assert settings.simulator_on


def test_a_deep_home_still_has_a_socket_that_the_system_takes(tmp_path: Path) -> None:
    settings = Settings.read(home=tmp_path / ("deep" * 40))
    assert len(str(settings.redis_socket)) <= 100


def test_a_secret_is_made_once_for_us_alone(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Settings.read(home=tmp_path).encryption_key, range(16)))
    assert len(set(made)) == 1
    assert len(made[0]) >= 32
    mode = (tmp_path / "secret-key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret-key"]


def test_an_emptied_secret_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("")
    with pytest.raises(SettingsError, match="restore it"):
        _ = Settings.read(home=tmp_path).encryption_key


def test_a_home_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="LEAFLINE_HOME"):
        _ = Settings.read(home=tmp_path / "file" / "home").webhook_keys


def test_several_channel_keys_are_valid_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAFLINE_CHANNEL_KEYS", "new-key, old-key ,")
    assert Settings.read().webhook_keys == ("new-key", "old-key")
