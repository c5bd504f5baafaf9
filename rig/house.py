"""A whole Leafline in a temporary folder: `leafline up` on free ports, watched from outside."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

LEAFLINE = Path(sys.executable).parent / "leafline"
READY = "Leafline is running"
KEY = "channel-key-of-the-whole-tests"
UNBOUNDED = tuple(
    f"LEAFLINE_{who}_DAILY"
    for who in ("NUMBER", "OFFICER", "KIOSK", "KIOSK_PHOTOS", "DISTRICT", "SERVICE")
)
T = TypeVar("T")
OURS = re.compile(r"LEAFLINE_|AT_|DATABASE_URL$|REDIS_URL$|SENTRY_DSN$")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(look: Callable[[], T], what: str, seconds: float = 90.0) -> T:
    """The first truthy answer of `look`, asked again and again. Fails with `what`."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, f"in vain for {seconds:.0f} s: {what}"
        time.sleep(0.05)
    return found


class House:
    """One home and, after `start`, the processes in it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.home = folder / "home"
        self.port, self.simulator_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.simulator_url = f"http://127.0.0.1:{self.simulator_port}"
        given = {
            "LEAFLINE_HOME": self.home,
            "LEAFLINE_PORT": self.port,
            "LEAFLINE_SIMULATOR_PORT": self.simulator_port,
            "LEAFLINE_CHANNEL_KEYS": KEY,
            "LEAFLINE_WORKERS": 1,
            "LEAFLINE_WEB_DRAIN": 0,
            "LEAFLINE_WEB_PROCESSES": 1,
            "LEAFLINE_WEB_THREADS": 4,
            # A crowd of tests sends in a minute what a service sends in days.
            **dict.fromkeys(UNBOUNDED, 0),
            **settings,
        }
        self.environment = {k: v for k, v in os.environ.items() if not OURS.match(k)}
        self.environment |= {name: str(value) for name, value in given.items()}
        self._folder = folder
        self._lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def command(self, *words: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run another `leafline` command in this home to its end."""
        return subprocess.run(
            [LEAFLINE, *words],
            cwd=self._folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def launch(self, *words: str) -> None:
        """Start a command (`up`) and collect what it prints, without waiting for it."""
        self._lines = []
        self._process = subprocess.Popen(
            [LEAFLINE, *words],
            cwd=self._folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def start(self, *words: str) -> None:
        self.launch("up", *words)
        wait_until(lambda: READY in self.output or not self.running, "the house to be up", 150)
        assert READY in self.output, self.output

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._lines.append(line)

    @property
    def output(self) -> str:
        return "".join(self._lines)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 60.0) -> int:
        """Signal the supervisor alone, wait for its end, and answer its exit code."""
        assert self._process is not None
        assert self._reader is not None
        if self.running:
            self._process.send_signal(number)
        code = self._process.wait(seconds)
        self._reader.join(seconds)
        return code

    def processes(self, name: str = "") -> dict[int, str]:
        """Process id and name of everything that runs in this home, found from outside."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                variables = _words(entry / "environ")
                # A Redis server writes its title over its environment.
                redis = f"unixsocket:{self.home}/redis.sock" in " ".join(_words(entry / "cmdline"))
            except OSError:
                continue
            if redis:
                found[int(entry.name)] = "redis"
            elif f"LEAFLINE_HOME={self.home}" in variables:
                named = dict(variable.partition("=")[::2] for variable in variables)
                found[int(entry.name)] = named.get("LEAFLINE_PROCESS", "up")
        return {pid: n for pid, n in found.items() if n.startswith(name)}

    def ports_are_free(self) -> bool:
        for port in (self.port, self.simulator_port):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return False
        return True


def _words(file: Path) -> list[str]:
    return file.read_bytes().decode(errors="replace").split("\0")


@contextmanager
def house_in(folder: Path, *words: str, shown: bool = True, **settings: Any) -> Iterator[House]:
    """A house that is up, and gone afterwards; its output is shown when a test fails."""
    house = House(folder, **settings)
    try:
        house.start(*words)
        yield house
    finally:
        if house.running:
            house.stop()
        for pid in house.processes():
            os.kill(pid, signal.SIGKILL)
        if shown:
            sys.stdout.write(house.output)
