"""The doctor: a line for each component, and what to do where one is unwell."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import text

from gateway.running import doctor
from gateway.running.doctor import CHECKS, Finding, examine
from gateway.settings import Settings
from gateway.spool import Spool
from gateway.store import Store
from gateway.store.vault import Vault
from gateway.watch import redis_doors
from rig.mobile import serving
from rig.servers import redis_by


def read(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


def one(settings: Settings, check: str) -> Finding:
    (finding,) = examine(settings, [check])
    return finding


@pytest.fixture
def stores(settings: Settings, postgres_url: str) -> list[Settings]:
    return [settings, read(settings, database_url=postgres_url)]


def test_all_is_well(settings: Settings) -> None:
    found = {finding.what: finding for finding in examine(settings, CHECKS)}
    assert list(found) == list(CHECKS)
    assert {f.what: f.text for f in found.values() if f.state == "fail"} == {}
    assert found["store"].state == found["photos"].state == found["model"].state == "ok"


def test_a_line_names_state_and_component() -> None:
    assert str(Finding("redis", "warn", "slow")).split() == ["warn", "redis", "slow"]


def test_both_kinds_of_store(stores: list[Settings]) -> None:
    for settings, kind in zip(stores, ("sqlite", "postgresql"), strict=True):
        finding = one(settings, "store")
        assert finding.state == "ok", finding
        assert kind in finding.text
        assert "PostgreSQL" in one(settings, "clock").text or kind == "sqlite"


def test_a_store_that_is_behind(settings: Settings) -> None:
    store = Store(settings.store_url, Vault(settings.encryption_key))
    with store.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    store.close()
    finding = one(settings, "store")
    assert finding.state == "fail"
    assert "is at 0001, not " in finding.text
    assert "leafline db upgrade" in finding.text


def test_a_key_that_does_not_open_the_store(settings: Settings) -> None:
    from gateway.people import farmers

    store = Store(settings.store_url, Vault(settings.encryption_key))
    with store.transaction() as session:
        farmers.find_or_create(session, "+250788123456")
    store.close()
    other = Settings.read(
        home=settings.home, database_url=settings.database_url, secret_key="another secret " * 3
    )
    finding = one(other, "store")
    assert finding.state == "fail"
    assert "LEAFLINE_SECRET_KEY" in finding.text
    assert "788123456" not in finding.text


ILL: list[tuple[str, Callable[[Path], dict[str, object]], str, str]] = [
    ("redis", lambda p: {"redis_url": f"unix://{p}/none"}, "fail", "correct REDIS_URL"),
    ("redis", lambda p: {"redis_url": "", "home": p}, "fail", "leafline up"),
    ("store", lambda p: {"database_url": f"sqlite:///{p}/new"}, "fail", "leafline db upgrade"),
    ("store", lambda p: {"database_url": f"sqlite:////none/{p}"}, "fail", "cannot be used"),
    ("store", lambda _: {"database_url": "what://ever"}, "fail", "not understood"),
    ("disk", lambda p: {"home": p / "file" / "x"}, "fail", "LEAFLINE_HOME"),
    ("model", lambda p: {"model": p}, "fail", "missing"),
    ("texts", lambda p: {"templates": p}, "fail", "cannot be read"),
    ("credentials", lambda _: {"simulator": "off"}, "fail", "AT_API_KEY"),
    ("credentials", lambda _: {}, "warn", "simulator"),
    ("operator", lambda _: {}, "warn", "LEAFLINE_OPERATOR_PHONE"),
]


@pytest.mark.parametrize(("check", "changes", "state", "words"), ILL)
def test_what_is_unwell_is_named_with_what_to_do(
    settings: Settings,
    tmp_path: Path,
    check: str,
    changes: Callable[[Path], dict[str, object]],
    state: str,
    words: str,
) -> None:
    (tmp_path / "file").write_text("")
    finding = one(read(settings, **changes(tmp_path)), check)
    assert (finding.state, "\n" in finding.text) == (state, False), finding
    assert words in finding.text


def test_a_short_channel_key(settings: Settings) -> None:
    short = Settings.read(home=settings.home, channel_keys="a-long-enough-channel-key,short")
    finding = one(short, "keys")
    assert finding.state == "fail"
    assert "1 of 2" in finding.text
    assert "a-long" not in finding.text


def test_a_short_secret_key(settings: Settings) -> None:
    finding = one(Settings.read(home=settings.home, secret_key="short"), "keys")
    assert finding.state == "fail"
    assert "LEAFLINE_SECRET_KEY" in finding.text


def test_a_misspelt_setting(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(settings, "settings").state == "ok"
    monkeypatch.setenv("LEAFLINE_PROT", "8080")
    finding = one(settings, "settings")
    assert finding.state == "warn"
    assert "LEAFLINE_PROT" in finding.text


def test_a_misspelt_setting_of_the_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=x\nleafline_port=8080\n")
    assert one(settings, "settings").state == "ok"
    (tmp_path / ".env").write_text("LEAFLINE_PORT=8080\nexport LEAFLINE_REGOIN=KE # Kenya\n")
    finding = one(settings, "settings")
    assert finding.state == "warn"
    assert finding.text.endswith(": LEAFLINE_REGOIN")


@pytest.mark.parametrize(
    ("free", "state"), [(50_000_000, "fail"), (1_000_000_000, "warn"), (10_000_000_000, "ok")]
)
def test_disk_space(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    class Usage:
        pass

    Usage.free = free  # type: ignore[attr-defined]
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: Usage)
    assert one(settings, "disk").state == state


@pytest.mark.parametrize(("drift", "state"), [(-2.0, "ok"), (20.0, "warn"), (-3600.0, "fail")])
def test_a_clock_beside_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, drift: float, state: str
) -> None:
    def drifts(_settings: Settings) -> Iterator[tuple[str, float]]:
        yield "Redis", drift

    monkeypatch.setattr(doctor, "_clock_drifts", drifts)
    assert one(settings, "clock").state == state
    assert "Redis" in one(settings, "clock").text


def test_a_check_that_breaks_is_a_finding(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_settings: Settings) -> Finding:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setitem(CHECKS, "disk", broken)
    finding = one(settings, "disk")
    assert finding == Finding("disk", "fail", "RuntimeError: first line")


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (({"UserData": {"balance": "KES 1785.50"}}, 200), "ok", "KES 1785.50"),
        (({"UserData": {"balance": "KES 0"}}, 200), "fail", "no credit"),
        (("The supplied authentication is invalid", 401), "fail", "AT_API_KEY"),
        (("", 500), "warn", "http_500"),
    ],
)
def test_the_account_at_the_network(
    settings: Settings, answer: tuple[object, int], state: str, words: str
) -> None:
    app = Flask("account")
    app.add_url_rule("/version1/user", "user", lambda: answer)
    with serving(app) as url:
        finding = one(read(settings, at_api_key=SecretStr("k"), at_base_url=url), "credentials")
    assert (finding.state, words in finding.text) == (state, True), finding


def test_a_spool_with_callbacks_in_it(settings: Settings) -> None:
    spool = Spool(settings.spool, Vault(settings.encryption_key))
    assert one(settings, "spool").state == "ok"
    spool.keep("sms", {"id": "1"})
    assert "taken in by themselves" in one(settings, "spool").text

    def broken(_kind: str, fields: Mapping[str, str]) -> None:
        raise KeyError(fields["id"])

    spool.replay(broken)
    finding = one(settings, "spool")
    assert (finding.state, finding.text[:11]) == ("warn", "1 callbacks")
    shutil.rmtree(settings.spool)
    settings.spool.write_text("")
    assert one(settings, "spool").state == "fail"


def test_the_worst_of_several_providers_says_how_messages_leave(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Flask("gateway")
    both = read(settings, providers=("http_gateway", "africastalking"), simulator="on")
    assert one(both, "credentials").state == "fail"
    monkeypatch.setenv("LEAFLINE_HTTP_GATEWAY_PASSWORD", "p")
    with serving(app) as url:
        monkeypatch.setenv("LEAFLINE_HTTP_GATEWAY_URL", url)
        found = one(both, "credentials")
        alone = one(read(settings, providers=("http_gateway",)), "credentials")
    assert (found.state, alone.state) == ("warn", "ok"), found
    assert "http_gateway (ok): kannel at 127.0.0.1" in found.text
    assert "africastalking (warn): " in found.text
    gone = one(both, "credentials")
    assert (gone.state, "cannot be reached" in gone.text) == ("fail", True)


def test_settings_of_a_provider_are_known(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFLINE_HTTP_GATEWAY_SPEAKS", "jasmin")
    assert one(settings, "settings").state == "ok"
    monkeypatch.setenv("LEAFLINE_HTTP_GATEWAY_SPEKS", "jasmin")
    assert "LEAFLINE_HTTP_GATEWAY_SPEKS" in one(settings, "settings").text


OPEN = ["--bind", "0.0.0.0", "--protected-mode", "no"]
RULES = ["--user", "default", "off", "--user", "ours", "on", ">word", "~*", "&*", "+@all"]


@pytest.mark.parametrize(
    ("options", "login", "exposed"),
    [
        (OPEN, (), True),
        (["--bind", "0.0.0.0"], (), False),
        (["--bind", "127.0.0.1", "--protected-mode", "no"], (), False),
        ([*OPEN, "--requirepass", "word"], ("default", "word"), False),
        ([*OPEN, *RULES], ("ours", "word"), False),
        ([*OPEN, "--user", "ours", "on", ">word", "~*", "&*", "+@all"], ("ours", "word"), True),
    ],
    ids=["open", "protected", "loopback", "password", "rules", "default left open"],
)
def test_a_redis_that_hears_anybody_is_named(
    settings: Settings, options: list[str], login: tuple[str, ...], exposed: bool
) -> None:
    with redis_by([*options, "--appendonly", "yes"], *login) as url:
        finding = one(read(settings, redis_url=url), "redis")
    assert ("anybody" in finding.text) == exposed
    assert (finding.state == "warn") == exposed, finding
    assert "word@" not in finding.text


def test_a_redis_that_is_no_longer_mended_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_doors, "OLDEST", 99)
    with redis_by(["--appendonly", "yes"]) as url:
        finding = one(read(settings, redis_url=url), "redis")
    assert finding.state == "warn"
    assert "old" in finding.text
    known = [redis_doors.old({"redis_version": v}) for v in ("6.2.14", "99.0.0", "255", "?", "")]
    assert known == [True, False, False, False, False]
