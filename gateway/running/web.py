"""`leafline web`: one listening socket, some processes that serve on it, and one that minds them.

Signals to the minding process: SIGTERM and SIGINT end everything in order, SIGHUP puts new
processes (and new code) in the place of the old ones without a moment in which nobody listens.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from types import FrameType

from gateway.running import tether
from gateway.running.children import FIRST_BACKOFF, how_it_ended
from gateway.settings import Settings, SettingsError

log = logging.getLogger("leafline.web")

GRACEFUL_SECONDS = 14.0
"""For what is in hand at SIGTERM; below the 17 s after which the supervisor kills."""
KILLED_AFTER = 1.0
"""Seconds above that, for a process that does not end by itself."""
LEAVING_SECONDS = 60.0
"""For what is in hand when another takes over: nobody waits for the end of that."""
BACKLOG = 1024
LEAVE = signal.SIGUSR1
STOPS = (signal.SIGTERM, signal.SIGINT)
AWAITED = (*STOPS, signal.SIGHUP, signal.SIGCHLD)


def listen(settings: Settings) -> socket.socket:
    """The socket that all web processes share. Raises: SettingsError when it cannot be had."""
    where = (settings.host or None, settings.port)
    listener = None
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            *where, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, number)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise SettingsError(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}; "
            "free it, or set LEAFLINE_PORT to another port"
        ) from None
    return listener


class Minder:
    """Starts the serving processes and keeps as many of them as there should be."""

    def __init__(
        self, settings: Settings, listener: socket.socket, replaced: Sequence[int] = ()
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._serving: set[int] = set()
        self._leaving = set(replaced)

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises: SystemExit when the first processes do not start."""
        signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
        if not all(self._start() for _ in range(self._settings.web_processes)):
            self._stop()
            sys.exit(1)
        for pid in self._leaving:
            _signal(pid, LEAVE)
        while True:
            number = signal.sigwait(AWAITED)
            if number in STOPS:
                self._stop()
                return
            if number == signal.SIGHUP:
                self._renew()
            self._replace_the_dead()

    def _start(self) -> bool:
        """Start a process; True when it serves. In that process this does not return."""
        begun, says = os.pipe()
        minder = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        if (pid := os.fork()) == 0:
            os.close(begun)
            tether.tie(minder)
            serve(self._settings, self._listener, says)
            sys.exit(0)
        os.close(says)
        self._serving.add(pid)
        with os.fdopen(begun, "rb") as pipe:
            return bool(pipe.read(1))  # nothing when it ended instead

    def _replace_the_dead(self) -> None:
        dead = [(pid, code) for pid, code in self._reap() if pid in self._serving]
        self._serving -= {pid for pid, _ in dead}
        if dead:
            for _, code in dead:
                log.warning(
                    "a web process ended (%s); starting another in %.0f s",
                    how_it_ended(code),
                    FIRST_BACKOFF,
                )
            time.sleep(FIRST_BACKOFF)
            for _ in dead:
                self._start()

    def _reap(self) -> list[tuple[int, int]]:
        ended = []
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                ended.append((found[0], os.waitstatus_to_exitcode(found[1])))
        self._leaving -= {pid for pid, _ in ended}
        return ended

    def _renew(self) -> None:
        """Become the program that is installed now, if that can start: its processes take over
        from ours, which finish what they have in hand."""
        words = [sys.executable, "-P", "-m", "gateway", "web"]
        check = subprocess.run([*words, "--check"], capture_output=True, text=True, check=False)
        if check.returncode:
            log.error("not renewed: %s", " ".join((check.stderr or check.stdout).split()))
            return
        log.info("web processes are being renewed")
        os.set_inheritable(self._listener.fileno(), True)
        theirs = [str(pid) for pid in self._serving | self._leaving]
        handed = ["--socket", str(self._listener.fileno()), "--replacing", ",".join(theirs)]
        os.execv(sys.executable, [*words, *handed])  # noqa: S606 (no shell wanted)

    def _stop(self) -> None:
        self._listener.close()  # theirs stay open as long as they want
        for pid in self._serving | self._leaving:
            _signal(pid, signal.SIGTERM)
        until = time.monotonic() + GRACEFUL_SECONDS + KILLED_AFTER
        while left := (self._serving | self._leaving):
            self._serving -= {pid for pid, _ in self._reap()}
            if time.monotonic() > until:
                log.warning("%s web processes did not end; killed", len(left))
                for pid in left:
                    _signal(pid, signal.SIGKILL)
                return
            time.sleep(0.02)


def serve(settings: Settings, listener: socket.socket, says: int) -> None:
    """One serving process, until it is told to stop or to leave.

    Args:
        says: one byte is written to this pipe when connections are being answered.
    """
    assert "onnxruntime" not in sys.modules, "imported before the fork"
    # After the fork: connections are not shared, and ONNX Runtime makes a process hang at its end
    # when it was imported before.
    from gateway.app import create_app, largest_body
    from gateway.pages.operator.start import DOCTOR
    from gateway.running import doctor
    from gateway.running.server import Limits, Server
    from gateway.watch import beats

    _as_many_sockets_as_may_be()
    logging.getLogger("waitress").setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    app = create_app(settings)
    app.extensions[DOCTOR] = partial(doctor.examine, settings, doctor.CHECKS)
    server = Server(
        app,
        listener,
        threads=settings.web_threads,
        limits=Limits(body_bytes=largest_body(settings)),
        proxies=settings.proxies,
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.drain(settings.web_drain, GRACEFUL_SECONDS)

    def leave(_number: int, _frame: FrameType | None) -> None:
        server.drain(0, LEAVING_SECONDS, quietly=True)

    for number in STOPS:
        signal.signal(number, stop)
    signal.signal(LEAVE, leave)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, AWAITED)
    os.write(says, b"!")
    os.close(says)
    with beats.beating(app.extensions["leafline"].store, "web"):
        server.run()


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _as_many_sockets_as_may_be() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
