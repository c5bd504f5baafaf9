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
        ("LEAFLINE_REGION", "XX", "LEAFLINE_REGION"),
        ("LEAFLINE_LANGUAGE", "English", "LEAFLINE_LANGUAGE"),
        ("LEAFLINE_LANGUAGE", "xx", "one of en, fr, rw, sw"),
        ("LEAFLINE_PUBLIC_URL", "leaf.example.org", "LEAFLINE_PUBLIC_URL"),
        ("LEAFLINE_PUBLIC_URL", "ftp://leaf.example.org", "LEAFLINE_PUBLIC_URL"),
        ("LEAFLINE_PUBLIC_URL", "https://", "LEAFLINE_PUBLIC_URL"),
        ("SENTRY_DSN", "sentry.invalid/1", "SENTRY_DSN"),
        ("SENTRY_DSN", "https://sentry.invalid/1", "SENTRY_DSN"),
        ("SENTRY_DSN", "https://key@sentry.invalid/project", "SENTRY_DSN"),
        ("REDIS_URL", "redis+sentinel://one,two/main/0", "REDIS_URL: Sentinel"),
        ("REDIS_URL", "sentinel://one:26379", "REDIS_URL: Sentinel"),
        ("REDIS_URL", "localhost:6379", "REDIS_URL"),
        ("REDIS_URL", "http://localhost:6379", "REDIS_URL"),
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEAFLINE_REGION", "ke"),
        ("LEAFLINE_LANGUAGE", "sw"),
        ("LEAFLINE_PUBLIC_URL", "http://10.0.0.1:8000"),
        ("LEAFLINE_PUBLIC_URL", ""),
        ("SENTRY_DSN", "https://key@o1.ingest.sentry.invalid/4507"),
        ("SENTRY_DSN", "http://key@sentry.invalid:9000/below/1"),
    ],
)
def test_a_right_setting_is_taken(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    Settings.read()


def test_a_language_of_other_texts(tmp_path: Path) -> None:
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "lg.po").write_text("")
    assert Settings.read(templates=tmp_path, language="lg").language == "lg"
    with pytest.raises(SettingsError, match=r"LEAFLINE_LANGUAGE.*one of lg"):
        Settings.read(templates=tmp_path, language="en")


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
