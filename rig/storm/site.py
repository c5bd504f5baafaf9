"""Where it happens: one house, its store, and the network outside."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import DateTime, text

from gateway.store import Store
from gateway.store.models import Base
from gateway.store.vault import Vault
from rig.house import KEY, READY, House, free_port, wait_until
from rig.servers import Postgres
from simulator import phone

SECRET = "a secret for the chaos run, long enough to be one"
OFFICERS = ("+250788000098", "+250788000099")
OPERATOR = "+250788000090"
AREA = "Rwamagana"
DATABASE = "chaos"
START_TRIES, START_SECONDS = 5, 300.0


class Site:
    """One house on SQLite or PostgreSQL, and the simulated network, which nobody kills."""

    def __init__(self, folder: Path, kind: str, **settings: Any) -> None:
        self.folder, self.kind = folder, kind
        self.network_port = free_port()
        self.network = f"http://127.0.0.1:{self.network_port}"
        self.postgres = Postgres() if kind == "postgresql" else None
        given: dict[str, Any] = {
            "AT_API_KEY": "chaos",
            "LEAFLINE_AT_BASE_URL": self.network,
            "LEAFLINE_AT_TIMEOUT": 3,
            "LEAFLINE_OPERATOR_PHONE": OPERATOR,
            "LEAFLINE_SECRET_KEY": SECRET,
            "LEAFLINE_SEND_RATE": 500,
            "LEAFLINE_WEB_PROCESSES": 2,
            "LEAFLINE_WORKERS": 2,
        }
        if self.postgres:
            given["DATABASE_URL"] = self.postgres.url.format(DATABASE)
        self.house = House(folder, **(given | settings))
        self.webhooks = f"{self.house.url}/africastalking/{KEY}"
        self.token = ""
        self.frozen: set[int] = set()
        self._network: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def open(self) -> None:
        if self.postgres:
            self.postgres.start()
            self.postgres.execute(f"CREATE DATABASE {DATABASE}")
        words = [sys.executable, "-m", "rig.storm.network"]
        self._network = subprocess.Popen([*words, str(self.network_port), self.webhooks])
        wait_until(self._network_answers, "the simulated network")
        self.start()
        self.token = self._told("kiosk", "add", "Chaos", "--area", f"{AREA}/Muhazi")
        for number in OFFICERS:
            self._told("officer", "add", number, "-n", "Keza", "--area", AREA, "--language", "en")

    def start(self) -> None:
        """Start the house; on a machine that is too busy to start it in time, once more."""
        for _ in range(START_TRIES):
            self.house.launch("up", "--no-simulator")
            wait_until(
                lambda: READY in self.house.output or not self.house.running,
                "the house to be up, or to give up",
                START_SECONDS,
            )
            if self.house.running:
                return
        raise RuntimeError(self.house.output)

    def close(self) -> None:
        if self.house.running:
            self.house.stop(seconds=60)
        for pid in self.house.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._network:
            self._network.kill()
            self._network.wait()
        if self.postgres:
            self.postgres.close()

    def store(self) -> Store:
        url = f"sqlite:///{self.house.home / 'leafline.sqlite3'}"
        if self.postgres:
            given = self.postgres.url.format(DATABASE)
            url = given.replace("postgresql://", "postgresql+psycopg://", 1)
        return Store(url, Vault(SECRET))

    def power_cut(self) -> None:
        """Everything in the building ends at once. Stopped first, so that none sees another die."""
        with self._lock:
            pids = self.house.processes()
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
            if self.postgres:
                self.postgres.crash()
                self.postgres.start()
            self.house.stop(signal.SIGKILL)
            self.start()

    def kill(self, name: str, *, youngest: bool = False) -> None:
        pids = self.house.processes(name)
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(max(pids) if youngest else min(pids), signal.SIGKILL)

    def empty_redis(self) -> None:
        """Redis dies and its file with it: it comes back knowing nothing."""
        self.kill("redis")
        shutil.rmtree(self.house.home / "redis", ignore_errors=True)
        (self.house.home / "redis").mkdir(exist_ok=True)

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """A process that gets no time, as on a starved machine."""
        pids = list(self.house.processes(name))
        try:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def crash_store(self) -> None:
        assert self.postgres is not None
        with self._lock:
            self.postgres.crash()
            self.postgres.start()

    @contextmanager
    def hung_store(self) -> Iterator[None]:
        """PostgreSQL gets no time: its connections stay up, and nothing answers."""
        assert self.postgres is not None
        with self._lock, self.postgres.stopped():
            yield

    def set_faults(self, **faults: Any) -> None:
        phone.set_faults(self.network, **faults)

    def journal(self) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(f"{self.network}/journal", timeout=30).json()
        return answer

    def messages(self, after: int = 0) -> list[dict[str, Any]]:
        url = f"{self.network}/simulator/api/messages"
        found: list[dict[str, Any]] = requests.get(url, params={"after": after}, timeout=60).json()[
            "messages"
        ]
        return found

    def let_time_pass(self, minutes: float) -> None:
        """Move every instant in the store into the past, while nothing runs: time passes."""
        store = self.store()
        with store.engine.begin() as connection:
            for table, column in _instants():
                change = f"UPDATE {table} SET {column} = {self._earlier(column)}"
                connection.execute(text(change), {"by": f"-{minutes} minutes"})
        store.close()

    def _earlier(self, column: str) -> str:
        if self.postgres:
            return f"{column} + CAST(:by AS INTERVAL)"
        return f"strftime('%Y-%m-%d %H:%M:%f', {column}, :by) || '000'"

    def _network_answers(self) -> bool:
        try:
            return requests.get(f"{self.network}/journal", timeout=2).ok
        except requests.RequestException:
            return False

    def _told(self, *words: str) -> str:
        answer = self.house.command(*words)
        if answer.returncode:
            raise RuntimeError(answer.stderr)
        return answer.stdout.split()[-1]


def _instants() -> Iterator[tuple[str, str]]:
    """(table, column) of every instant in the store."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(getattr(column.type, "impl", column.type), DateTime):
                yield table.name, column.name
