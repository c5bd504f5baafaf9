"""Fixtures for all tests: real Redis, real SQLite and PostgreSQL, a context, an application."""

from __future__ import annotations

import functools
import itertools
import logging
import os
import re
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from gateway.app import create_app
from gateway.context import Context
from gateway.dialogue import po
from gateway.people import hashing
from gateway.settings import ROOT, Settings
from gateway.store import Store
from gateway.store.vault import Vault
from rig import servers
from rig.house import House, wait_until
from tests import telling

SECRET = "a secret for tests, long enough to be one"
CHANNEL_KEY = "channel-key-for-tests"
MISSING_OK = "photo folder"
"""In CI only tests of real photos may be skipped, where that folder is absent."""


if not os.environ.get("CI"):  # CI has four times as many, and longer walks
    hypothesis.settings.register_profile("here", max_examples=25)
    hypothesis.settings.load_profile("here")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else ""
        if MISSING_OK not in reason:
            report.outcome = "failed"
            report.longrepr = f"skipped in CI: {reason}"
    return report


SHORT = 30.0
"""Runs of fewer seconds of tests are not worth a line about them."""
NEEDS = {"postgres": "postgresql", "playwright": "browser", "whole_house": "whole"}
"""The marker of whatever a fixture starts; a module that starts houses itself says `whole`."""


TORCH = re.compile(r"^\s*(?:import|from) torch\b|importorskip\(\"torch\"", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m "not torch"` torch is not even imported: seconds, or not installed at all."""
    file = collection_path / "conftest.py" if collection_path.is_dir() else collection_path
    unwanted = re.search(r"\bnot\b.*\btorch\b", config.option.markexpr) and file.suffix == ".py"
    return True if unwanted and file.is_file() and TORCH.search(file.read_text()) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what each test needs, for `-m`; files that are given most time come first.

    The workers share the files out in this order, so that no long one is left to run alone.
    """
    patience: dict[Path, int] = {}
    for item in items:
        params = item.callspec.params.values() if hasattr(item, "callspec") else ()
        needs = {NEEDS[name] for name in getattr(item, "fixturenames", ()) if name in NEEDS}
        for need in sorted(needs | ({"postgresql"} & set(map(str, params)))):
            item.add_marker(need)
        told = item.get_closest_marker("timeout")
        patience[item.path] = max(patience.get(item.path, 0), told.args[0] if told else 0)
    items.sort(key=lambda item: -patience[item.path])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Where the time went: a test that takes too long is seen on the day it comes."""
    seconds: Counter[str] = Counter()
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            seconds[report.location[0]] += report.duration
    if seconds.total() > SHORT:
        longest = ", ".join(f"{path} {s:.0f} s" for path, s in seconds.most_common(8))
        terminalreporter.write_line(f"{seconds.total():.0f} s of tests, the longest: {longest}")


@pytest.fixture(scope="session")
def watch() -> Iterator[telling.Watch]:
    yield from telling.watching()


@pytest.fixture(scope="session", autouse=True)
def houses() -> Iterator[telling.Houses]:
    """Every house that is started."""
    houses, launch = telling.Houses(), House.launch

    def noted(house: House, *words: str) -> None:
        launch(house, *words)
        houses.started(house)

    House.launch = noted  # type: ignore[method-assign]
    yield houses
    House.launch = launch  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _no_log_line_tells_of_anybody(
    watch: telling.Watch, houses: telling.Houses, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    """Nor opens a door. What no test is left to see, the next one does."""
    caplog.handler.setLevel(logging.WARNING)  # a test sees what it saw without the watch
    yield
    told = [*watch.take(), *houses.take()]
    assert not told, f"{len(told)} log lines, such as {told[:5]}"


@pytest.fixture(autouse=True)
def _a_house_is_announced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that `make quick` runs starts a whole house."""

    def launch(*_: object) -> None:
        pytest.fail("a test that starts a house needs `pytestmark = pytest.mark.whole`")

    if not request.node.get_closest_marker("whole"):
        monkeypatch.setattr(House, "launch", launch)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("LEAFLINE_") and name != "LEAFLINE_PHOTO_DATA":
            monkeypatch.delenv(name)
    for name in ("DATABASE_URL", "REDIS_URL", "AT_USERNAME", "AT_API_KEY", "SENTRY_DSN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LEAFLINE_HOME", str(tmp_path / "var"))


@pytest.fixture(scope="session", autouse=True)
def shipped_hashing() -> Iterator[PasswordHasher]:
    """Hash PINs and passwords for real but at the least cost; what is given is the shipped one."""
    shipped = hashing.HASHER
    hashing.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield shipped
    hashing.HASHER = shipped


@pytest.fixture(scope="session", autouse=True)
def _texts_are_parsed_once() -> Iterator[None]:
    """What ships does not change during a run; a file that a test writes is read each time."""
    parse, kept = po.read, functools.cache(po.read)

    def read(path: Path) -> po.Read:
        if not path.is_relative_to(ROOT / "templates"):
            return parse(path)
        return replace(kept(path), texts=dict(kept(path).texts))  # callers add to them

    po.read = read
    yield
    po.read = parse


@pytest.fixture(scope="session")
def photo_data() -> Path:
    """The folder of real leaf photos with their manifest."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LEAFLINE_PHOTO_DATA") or beside)
    if not (folder / "manifest.csv").is_file():
        pytest.skip("there is no photo folder (LEAFLINE_PHOTO_DATA)")
    return folder


@pytest.fixture(scope="session")
def redis_server_url() -> Iterator[str]:
    with servers.redis_server() as url:
        yield url


@pytest.fixture
def redis_url(redis_server_url: str) -> str:
    """URL of an empty Redis."""
    import redis

    with redis.Redis.from_url(redis_server_url) as client:
        client.flushall()
    return redis_server_url


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.sqlite3"
    store = Store(f"sqlite:///{path}", Vault(SECRET))
    store.migrate()
    store.close()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.Postgres]:
    """A cluster that runs; its database `template_leafline` is migrated."""
    try:
        server = servers.Postgres()
    except servers.Absent as error:
        pytest.skip(str(error))
    try:
        server.start()
        server.execute("CREATE DATABASE template_leafline")
        store = Store(_sqlalchemy(server.url.format("template_leafline")), Vault(SECRET))
        store.migrate()
        store.close()
        yield server
    finally:
        server.close()


def _sqlalchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def postgres_url(postgres: servers.Postgres) -> Iterator[str]:
    """URL of a migrated, empty PostgreSQL database."""
    name = f"test_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template_leafline")
    yield postgres.url.format(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a migrated, empty SQLite database."""
    path = tmp_path / "store.sqlite3"
    shutil.copy(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both kinds of store, one after the other."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(kind))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(_sqlalchemy(database_url), Vault(SECRET))
    yield store
    store.close()


@pytest.fixture
def store_with(store: Store) -> Iterator[Callable[..., Store]]:
    """The same store for a process with other keys: the one that writes, then older ones."""
    opened: list[Store] = []

    def open_(secret: str, *old: str) -> Store:
        url = store.engine.url.render_as_string(hide_password=False)
        opened.append(Store(url, Vault(secret, old)))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


def settings_for(tmp_path: Path, database_url: str, redis_url: str, **more: str) -> Settings:
    """Settings of a house in a temporary folder; the simulator is on."""
    return Settings.read(
        home=tmp_path / "var",
        database_url=database_url,
        redis_url=redis_url,
        secret_key=SECRET,
        channel_keys=CHANNEL_KEY,
        **more,
    )


@pytest.fixture
def settings(sqlite_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings on SQLite and a real Redis."""
    return settings_for(tmp_path, sqlite_url, redis_url)


@pytest.fixture
def context(settings: Settings) -> Iterator[Context]:
    context = Context.open(settings)
    yield context
    context.close()


@pytest.fixture
def any_context(context: Context, store: Store) -> Context:
    """A context on SQLite, then on PostgreSQL."""
    return replace(context, store=store)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    app.extensions["leafline"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def somebody_waits(store: Store) -> Callable[[], None]:
    """Returns when a transaction waits for another, on PostgreSQL."""

    def until() -> None:
        with store.reading() as session:
            query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            wait_until(lambda: session.scalar(query), "somebody to wait for a lock")

    return until
