"""A process of the house: started tethered to the supervisor, watched, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.running import tether
from gateway.running.logs import PROCESS_VARIABLE

FIRST_BACKOFF = 1.0
LONGEST_BACKOFF = 30.0
HEALTHY_SECONDS = 60.0
"""After running this long a process is forgiven its earlier crashes."""


@dataclass(frozen=True)
class Part:
    """A process that the house needs: its name in the log and its command line."""

    name: str
    command: tuple[str, ...]


def backoff(crashes: int) -> float:
    """Seconds to wait before the start that follows the given number of crashes in a row."""
    return float(min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** max(0, crashes - 1)))


def how_it_ended(returncode: int) -> str:
    if returncode >= 0:
        return f"exit {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"


@dataclass
class Child:
    """A part and the process that plays it now. Times are of the monotonic clock."""

    part: Part
    kept_open: tuple[int, ...] = ()
    crashes: int = 0
    start_again_at: float = 0.0
    process: subprocess.Popen[bytes] | None = None
    _started_at: float = field(default=0.0, repr=False)

    def start(self) -> None:
        """Call it from the main thread: the kernel ties the child to the thread that forks."""
        environment: Mapping[str, str] = {**os.environ, PROCESS_VARIABLE: self.part.name}
        tethered = [sys.executable, "-I", "-S", str(tether.__file__), str(os.getpid())]
        # In a process group of its own: Ctrl-C on the terminal reaches the supervisor alone,
        # which then stops the house in order.
        self.process = subprocess.Popen(
            [*tethered, *self.part.command],
            env=environment,
            stdin=subprocess.DEVNULL,
            pass_fds=self.kept_open,
            process_group=0,
        )
        self._started_at = time.monotonic()

    def reap(self, now: float) -> int | None:
        """The exit code if the process has ended since the last look; sets the next start."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self._signal_group(signal.SIGKILL)  # what it may have left behind
        self.process = None
        self.crashes = 1 if now - self._started_at > HEALTHY_SECONDS else self.crashes + 1
        self.start_again_at = now + backoff(self.crashes)
        return code

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.running and self.process:
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal_group(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def _signal_group(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)
