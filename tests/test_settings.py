from __future__ import annotations

import base64
import re
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from gateway.channels import providers
from gateway.running import logs
from gateway.running.commands import begin
from gateway.settings import OLD_KEYS, Section, Settings, SettingsError, hidden, weakness
from gateway.settings.kinds import password_in

SECTIONS: tuple[type[Section], ...] = (
    Settings,
    *(provider.settings for provider in providers.every() if provider.settings),
)
SECRETS = [
    pytest.param(section, name, id=section.variable(name))
    for section in SECTIONS
    for name, field in section.model_fields.items()
    if hidden(field)
]
SOUNDS_SECRET = re.compile(
    r"secret|password|token|dsn|(^|_)keys?($|_)|smtp_url|database_url|redis_url"
)
SHAPES = {
    "smtp_url": "smtps://u:{}@mail.example",
    "backups_url": "webdav://u:{}@disk.example/leaf",
    "sentry_dsn": "https://{}@sentry.example/1",
    "database_url": "postgresql://u:{}@db/leaf",
    "redis_url": "redis://:{}@redis:6379/1",
}
"""Secrets that are part of an address of a certain kind."""
INNER = "what-nobody-may-see-0123456789"


def shaped(section: type[Section], name: str) -> str:
    """A value of that setting with the secret in it; one that is a plain text is an address."""
    address = section.model_fields[name].annotation is str
    return SHAPES.get(name, "s3://u:{}@far.example/leaf" if address else "{}").format(INNER)


def texts_of(value: object) -> list[str]:
    several = value if isinstance(value, tuple) else (value,)
    return [one if isinstance(one, str) else one.get_secret_value() for one in several]


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
        _ = Settings.read(home=tmp_path / "file" / "home").encryption_key


def test_several_channel_keys_are_valid_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAFLINE_CHANNEL_KEYS", "new-key, old-key ,")
    keys = Settings.read().channel_keys
    assert [key.get_secret_value() for key in keys] == ["new-key", "old-key"]


def test_what_sounds_secret_is_one() -> None:
    named = [
        f"{section.__name__}.{name}"
        for section in SECTIONS
        for name, field in section.model_fields.items()
        if SOUNDS_SECRET.search(name) and not hidden(field)
    ]
    assert named == []
    assert len(SECRETS) >= 16


@pytest.mark.parametrize(("section", "name"), SECRETS)
@pytest.mark.parametrize("way", ["variable", "file"])
def test_every_secret_may_lie_in_a_file_and_is_seen_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, section: type[Section], name: str, way: str
) -> None:
    given = shaped(section, name)
    variable = section.variable(name)
    if way == "file":
        (tmp_path / "secret").write_text(given + "\n")
        monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / "secret"))
    else:
        monkeypatch.setenv(variable, given)
    monkeypatch.setenv("LEAFLINE_OPERATOR_EMAIL", "ops@leaf.example")
    read = section.read()
    assert texts_of(getattr(read, name)) == [given]
    assert INNER not in repr(read)
    assert INNER not in str(read)
    assert INNER not in logs.Mask(read.secrets())(f"it was {given}.")


@pytest.mark.parametrize(("section", "name"), SECRETS)
def test_what_was_copied_along_with_a_secret_is_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch, section: type[Section], name: str
) -> None:
    given = shaped(section, name)
    monkeypatch.setenv("LEAFLINE_OPERATOR_EMAIL", "ops@leaf.example")
    monkeypatch.setenv(section.variable(name), f"\u201c{given}\u201d\u200b\n")
    letter_by_letter = name == "old_secret_keys"  # what they sealed is to be read
    assert (texts_of(getattr(section.read(), name)) == [given]) is not letter_by_letter
    if not letter_by_letter:
        monkeypatch.setenv(section.variable(name), given.replace("nobody", "no\u200bbody"))
        with pytest.raises(SettingsError, match=section.variable(name)) as refusal:
            section.read()
        assert "what-no" not in str(refusal.value)


def test_a_secret_of_a_new_section_needs_no_mark(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Pigeons(Section):
        model_config = SettingsConfigDict(env_prefix="LEAFLINE_PIGEON_")
        whistle: SecretStr = SecretStr("")
        spare: SecretStr | None = None

    (tmp_path / "whistle").write_text(INNER)
    monkeypatch.setenv("LEAFLINE_PIGEON_WHISTLE_FILE", str(tmp_path / "whistle"))
    monkeypatch.setenv("LEAFLINE_PIGEON_SPARE", INNER + "-spare")
    assert Pigeons.read().secrets() == [INNER, INNER + "-spare"]


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("ftp://me:word@host/a:b@c", "word"),
        ("s3://me:w@rd@host", "w@rd"),
        ("http://me:word@[::1", "word"),
        ("http://[::1", ""),
        ("http://me@host:80?x:y@z", ""),
        ("/mnt/a:b@c", ""),
    ],
)
def test_the_password_of_an_address_is_a_secret(url: str, password: str) -> None:
    """Also of an address that nobody can read: the mask of the log is made of these."""
    assert password_in(url) == password
    assert password in Settings.read(backups_url=url).secrets()


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot read"), (b" \n", "is empty"), (b"\xff\xfe", "not a text")],
)
def test_a_secret_file_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("AT_API_KEY_FILE", str(file))
    with pytest.raises(SettingsError, match=f"AT_API_KEY_FILE.*{says}") as raised:
        Settings.read()
    assert "\n" not in str(raised.value)


def test_a_secret_from_two_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("b" * 40)
    monkeypatch.setenv("LEAFLINE_SECRET_KEY_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("LEAFLINE_SECRET_KEY", "a" * 40)
    with pytest.raises(SettingsError, match="not both"):
        Settings.read()


def test_an_empty_variable_beside_a_file_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("what-the-file-holds-0123456789abcdef")
    monkeypatch.setenv("LEAFLINE_SECRET_KEY", "")
    monkeypatch.setenv("LEAFLINE_SECRET_KEY_FILE", str(tmp_path / "secret"))
    assert Settings.read().encryption_key == "what-the-file-holds-0123456789abcdef"


def test_a_file_may_be_named_in_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("from-the-file")
    (tmp_path / ".env").write_text(f"AT_API_KEY_FILE={tmp_path / 'secret'}\n")
    monkeypatch.chdir(tmp_path)
    assert Settings.read().at_api_key.get_secret_value() == "from-the-file"
    monkeypatch.setenv("AT_API_KEY", "from-the-environment")
    assert Settings.read().at_api_key.get_secret_value() == "from-the-environment"


def test_old_keys_a_line_each_may_hold_commas(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LEAFLINE_OLD_SECRET_KEYS", "newer, older ,")
    assert Settings.read().old_keys == ("newer", "older")
    monkeypatch.delenv("LEAFLINE_OLD_SECRET_KEYS")
    (tmp_path / "old").write_text("a key, with a comma\n")
    monkeypatch.setenv("LEAFLINE_OLD_SECRET_KEYS_FILE", str(tmp_path / "old"))
    assert Settings.read().old_keys == ("a key, with a comma",)


@pytest.mark.parametrize(
    ("secret", "weak"),
    [
        ("a", True),
        ("x" * 64, True),
        ("abcdefgh" * 8, True),
        ("abcdefghijklmnopqrstuvwxyz0123456789", True),
        ("zyxwvutsrqponmlkjihgfedcba9876543210", True),
        ("correct-horse", True),
        ("12121212345345345345345345121212", True),
        ("a secret for tests, long enough to be one", False),
        pytest.param(secrets.token_hex(16), False, id="made"),
    ],
)
def test_a_secret_that_is_easy_to_guess(secret: str, weak: bool) -> None:
    assert bool(weakness(secret, 32)) is weak


def test_what_we_make_ourselves_is_strong_enough() -> None:
    made = [secrets.token_urlsafe(32) for _ in range(2000)]
    made += [secrets.token_hex(24) for _ in range(2000)]
    made += [base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(2000)]
    assert not [reason for secret in made if (reason := weakness(secret, 32))]


@pytest.mark.parametrize(
    ("name", "value"), [("LEAFLINE_SECRET_KEY", "x"), ("LEAFLINE_CHANNEL_KEYS", f"{'Zk3-' * 6},a")]
)
def test_no_process_starts_with_a_weak_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as raised:
        begin("web")
    assert "\n" not in str(raised.value)
    assert value not in str(raised.value).split()


def test_a_key_in_the_home_is_changed_there(tmp_path: Path) -> None:
    first = Settings.read(home=tmp_path).encryption_key
    Settings.read(home=tmp_path).new_key()
    changed = Settings.read(home=tmp_path)
    assert changed.encryption_key != first
    assert changed.old_keys == (first,)
    assert [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("secret-key", OLD_KEYS)] == [
        0o600
    ] * 2
    with pytest.raises(SettingsError, match="LEAFLINE_OLD_SECRET_KEYS"):
        Settings.read(home=tmp_path, secret_key="k" * 40).new_key()


def test_nothing_is_kept_longer_than_farmers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAFLINE_RETENTION_MONTHS", "6")
    assert Settings.read().months("texts") == 6
    monkeypatch.setenv("LEAFLINE_RETENTION_TEXTS_MONTHS", "7")
    with pytest.raises(SettingsError, match="LEAFLINE_RETENTION_TEXTS_MONTHS"):
        Settings.read()
