"""Homes, checkouts and photo folders whose names have letters that mean something elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from gateway.backup import making, reading, restoring
from gateway.backup.place import Place
from gateway.context import BOOK, Context
from gateway.running import own_redis
from gateway.running.premises import HomeLock
from gateway.settings import ROOT, Settings
from gateway.spool import Spool
from gateway.store import Store, keys
from gateway.store.photos import Folder, open_photos
from gateway.store.vault import Vault
from rig.house import wait_until

NAMES = (
    "feature%2Fone",
    "a?mode=ro#b",
    "two  words",
    'it\'s "so"',
    "umurima-wange-éüß-甘",
    "%(here)s & ${HOME} $1",
    "semi;colon,comma[1]*",
    "back\\slash",
    "a::b@c:d",
)


@pytest.fixture(params=NAMES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder of such a name. Nothing may appear beside it."""
    inside = tmp_path / "outer" / str(request.param)
    inside.mkdir(parents=True)
    yield inside
    assert [path.name for path in inside.parent.iterdir()] == [inside.name]


def test_a_home(folder: Path) -> None:
    settings = Settings.read(home=folder / "home")
    store = Store(settings.store_url, Vault(settings.encryption_key))
    store.migrate()
    tables = store.tables()
    store.close()
    assert tables.have == tables.head
    assert (folder / "home" / "leafline.sqlite3").is_file()
    HomeLock.take(settings).release()
    Spool(settings.spool, Vault("k" * 40)).check()


def test_redis_and_its_socket(folder: Path) -> None:
    settings = Settings.read(home=folder / "h")
    (settings.home / own_redis.FOLDER).mkdir(parents=True)
    with subprocess.Popen(own_redis.command(settings), stdout=subprocess.DEVNULL) as server:
        try:
            client = redis.Redis.from_url(settings.queue_url)

            def answers() -> bool:
                try:
                    return bool(client.set("told", "kept"))
                except redis.RedisError:
                    return False

            wait_until(lambda: answers() or server.poll() is not None, "Redis", 30)
            assert server.poll() is None
            client.close()
        finally:
            server.kill()
    assert any((settings.home / own_redis.FOLDER).rglob("*.aof"))


@pytest.mark.parametrize("kind", ["home", "address"])
def test_photos(folder: Path, kind: str) -> None:
    url = "" if kind == "home" else f"file://{folder / 'photos'}"
    photos = open_photos(url, folder, Vault("k" * 40))
    address = photos.put(b"a leaf")
    assert photos.get(address) == b"a leaf"
    assert list(photos.addresses()) == [address]
    photos.delete(address)
    assert list(photos.addresses()) == []


def test_backups(folder: Path) -> None:
    settings = Settings.read(home=folder / "home", backups_url=str(folder / "backups"))
    vault, photos = Vault(settings.encryption_key), folder / "photos"
    with closing(Store(settings.store_url, vault)) as store:
        store.migrate()
        keys.enter(store)
        book = settings.home / BOOK
        place = Place(settings.backups_url)
        made = making.make(store, Folder(photos, vault), book, place, settings.home)
    found = reading.find(Place(settings.backups_url), vault)
    reading.verify(found, vault, settings.home)
    empty = Settings.read(home=folder / "new")
    restoring.restore_store(found, empty.store_url, settings.home)
    assert (folder / "new" / "leafline.sqlite3").is_file()
    assert (folder / "backups" / made.name).is_dir()


def test_templates(folder: Path, redis_url: str) -> None:
    shutil.copytree(ROOT / "templates", folder / "templates")
    settings = Settings.read(
        home=folder / "home", templates=folder / "templates", redis_url=redis_url
    )
    Context.open(settings).close()


def test_a_checkout(tmp_path: Path) -> None:
    """All of the program lies in such a folder, and makes a store there."""
    checkout = tmp_path / "feature%2Fone ?#'é\""
    for part in ("gateway", "inference", "templates"):
        shutil.copytree(ROOT / part, checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
    made = subprocess.run(
        [sys.executable, "-P", "-m", "gateway", "db", "upgrade"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(checkout), "LEAFLINE_HOME": str(checkout / "var")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert (checkout / "var" / "leafline.sqlite3").is_file()
