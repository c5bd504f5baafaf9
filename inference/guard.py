"""Decoding in a process that may be killed: one a process that asks, started when first needed.

A stranger's file may make a decoder work for hours, fill the memory or crash. Here it works under
the operating system's limits, in a fresh Python without our secrets, model or threads (started,
not forked), and its end is an answer. Bytes and JSON go between the two, nothing that runs.
"""

from __future__ import annotations

import atexit
import importlib
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

MEMORY_BYTES = 640_000_000
"""Address space for one picture, beyond what the process has when it begins."""
CPU_SECONDS = 20
"""For one picture; the slowest that is taken, 52 megapixels of HEIC, needs a fifth here."""
WALL_SECONDS = 60.0
"""For one picture; passed only on a machine that has no time for it."""
WAITING = 4
"""Callers that may stand in line behind the one whose picture is being decoded."""
MOST_OF_ONE = 2
"""Of those places, how many one asker with a name may hold: another's costly photos leave room."""
LINE_SECONDS = 15.0
KEPT_SHARE = 4
"""Of that memory, the part that the process may keep after a photo and still take another."""
IDLE_SECONDS = 120.0
"""After which the process ends by itself, and with it its 40 MB."""
MAX_ANSWER = 256_000_000

Task = Callable[..., tuple[list[int], bytes]]
"""(photo, **options) to the shape of what was made, and its bytes."""


class DecoderBusy(Exception):
    """No decoder was free in time: nothing is said about the photo, which may come again."""


class DecoderDied(Exception):
    """The photo was more than the limits allow, or broke the decoder."""


_asker: ContextVar[str] = ContextVar("asker", default="")


@contextmanager
def asked_by(name: str) -> Iterator[None]:
    """Whose pictures are decoded within: a kiosk's, a vendor's. Nobody's are without a bound of
    their own."""
    token = _asker.set(name)
    try:
        yield
    finally:
        _asker.reset(token)


class _Seats:
    """Places in the line, and who holds how many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    @contextmanager
    def one(self, asker: str) -> Iterator[None]:
        """Raises: DecoderBusy."""
        with self._lock:
            if self._held.total() > WAITING:
                raise DecoderBusy("too many pictures wait to be decoded")
            if asker and self._held[asker] >= MOST_OF_ONE:
                raise DecoderBusy("too many pictures of one sender wait to be decoded")
            self._held[asker] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[asker] -= 1
                self._held += Counter()  # forget who holds none


@dataclass
class Guard:
    """One decoder process and the line of threads before it. The process is made anew after it
    died, was killed or left. Usable from any thread."""

    memory: int = MEMORY_BYTES
    cpu: int = CPU_SECONDS
    wall: float = WALL_SECONDS
    tasks: str = "inference.picture"
    """The module whose TASKS the process does."""
    _seats: _Seats = field(default_factory=_Seats)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _process: subprocess.Popen[bytes] | None = None
    _line: Connection | None = None

    def run(self, task: str, photo: bytes, **options: Any) -> tuple[dict[str, Any], bytes]:
        """Do `task` on the photo there. Raises: DecoderBusy, DecoderDied."""
        with self._seats.one(_asker.get()):
            if not self._turn.acquire(timeout=LINE_SECONDS):
                raise DecoderBusy("the picture before takes long")
            try:
                return self._run(json.dumps({"task": task, "options": options}).encode(), photo)
            except BaseException:
                self.stop()  # mid-way through a picture nobody waits for: a job's alarm, a bug
                raise
            finally:
                self._turn.release()

    def _run(self, order: bytes, photo: bytes) -> tuple[dict[str, Any], bytes]:
        line = self._hand_over(order, photo)
        try:
            if not line.poll(self.wall):
                raise DecoderBusy("this machine has no time to decode")
            answer = json.loads(line.recv_bytes(1 << 16))
            return answer, line.recv_bytes(MAX_ANSWER)
        except (OSError, EOFError):
            raise self._cause_of_death() from None

    def _hand_over(self, order: bytes, photo: bytes) -> Connection:
        """Give the photo to a process that says it has it: one that just left is replaced."""
        for again in (True, False):
            line = self._line or self._start()
            try:
                line.send_bytes(order)
                line.send_bytes(photo)
                if not line.poll(self.wall):
                    raise DecoderBusy("this machine has no time to start a decoder")
                line.recv_bytes(16)
                return line
            except (OSError, EOFError) as error:
                self.stop()
                if not again:
                    raise DecoderBusy(f"the decoder does not start: {error!r}") from None
        raise AssertionError("unreachable")

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            numbers = map(str, (theirs.fileno(), self.memory, self.cpu))
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, self.tasks, *numbers],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        self._line = Connection(ours.detach())
        return self._line

    def _cause_of_death(self) -> Exception:
        assert self._process is not None
        code = self._process.wait()
        log.warning("decoder_died code=%s", code)
        if code == -signal.SIGKILL:  # not by its own limits
            return DecoderBusy("the decoder was killed")
        return DecoderDied(signal.Signals(-code).name if code < 0 else f"exit {code}")

    def stop(self) -> None:
        """End the process, if there is one."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._line = self._process = None

    def forget(self) -> None:
        """In a fork: the process belongs to the parent."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.returncode = 0
        self._line = self._process = None
        self._seats, self._turn = _Seats(), threading.Lock()  # a thread that is not here held them


def _environment() -> dict[str, str]:
    """Where to find Python and us, and nothing that a broken decoder could give away."""
    root = str(Path(__file__).parent.parent)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        "MALLOC_ARENA_MAX": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


guard = Guard()
"""This process's."""
atexit.register(guard.stop)
os.register_at_fork(after_in_child=guard.forget)


def serve(line: Connection, tasks: dict[str, Task], memory: int, cpu: int) -> None:
    """Do what comes down the line until it is closed or long silent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asked; the line then ends
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    start = _address_space()
    _lower(resource.RLIMIT_AS, start + memory)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    # What libraries keep after a broken file must not be taken from the photos that follow.
    while _address_space() <= start + memory // KEPT_SHARE and line.poll(IDLE_SECONDS):
        order, photo = json.loads(line.recv_bytes()), line.recv_bytes()
        line.send_bytes(b"taken")
        # The limit is on all that the process has used, in whole seconds.
        _lower(resource.RLIMIT_CPU, int(time.process_time()) + 1 + cpu)
        try:
            shape, made = tasks[order["task"]](photo, **order["options"])
            answer: dict[str, Any] = {"shape": shape}
        except MemoryError:
            os._exit(os.EX_OSERR)  # what the libraries hold after this nobody knows
        except ValueError as error:
            answer, made = {"code": getattr(error, "code", "damaged"), "text": str(error)}, b""
        line.send_bytes(json.dumps(answer).encode())
        line.send_bytes(made)
        del photo, made


def _lower(kind: int, value: int) -> None:
    """Set a soft limit, within the hard one that this process was given."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, hard))


def _address_space() -> int:
    """Bytes that this process has mapped now."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # no Linux: Python and the libraries take some 150 MB
        return 400_000_000
    return pages * resource.getpagesize()


def main() -> None:
    tasks = importlib.import_module(sys.argv[1]).TASKS
    number, memory, cpu = map(int, sys.argv[2:])
    with suppress(EOFError, OSError), Connection(number) as line:
        serve(line, tasks, memory, cpu)


if __name__ == "__main__":
    main()
