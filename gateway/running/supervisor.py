"""`leafline up`: every process of the house, started in order, watched, stopped in order."""

from __future__ import annotations

import logging
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from gateway.running import outside, own_redis
from gateway.running.children import Child, Part, how_it_ended
from gateway.running.premises import HomeLock
from gateway.settings import Settings

log = logging.getLogger("leafline.up")

READY_SECONDS = 600.0
"""An overloaded machine may need minutes to start, and starting anew would not help it."""
WAITING_SECONDS = 15.0
"""How often a person who waits for the start is told for what."""
REDIS_READY_SECONDS = 120.0
STOP_SECONDS = 17.0
REDIS_STOP_SECONDS = 2.5
"""The two together stay below the 20 s in which everything has stopped."""


class StartFailed(click.ClickException):
    """The house did not come up."""


def redis_parts(settings: Settings) -> list[Part]:
    """Our own Redis, unless REDIS_URL names another. Raises: SettingsError when none is found."""
    if settings.redis_url:
        return []
    (settings.home / own_redis.FOLDER).mkdir(parents=True, exist_ok=True)
    return [Part("redis", tuple(own_redis.command(settings)))]


def house_parts(settings: Settings) -> list[Part]:
    """The processes of Leafline itself, those that others wait for first."""

    def part(name: str, *command: str) -> Part:
        # -P: what is run is what is installed, whatever lies in the current folder.
        return Part(name, (sys.executable, "-P", "-m", "gateway", *command))

    workers = [part(f"worker-{n}", "worker") for n in range(1, settings.workers + 1)]
    media = [part("media", "worker", "--queue", "media")] if settings.mms_media_hosts else []
    simulator = [part("simulator", "simulator")] if settings.simulator_on else []
    return [
        part("web", "web"),
        *workers,
        *media,
        part("sender", "sender"),
        part("scheduler", "scheduler"),
        *simulator,
    ]


class Supervisor:
    """All processes of one home. Use it from the main thread."""

    def __init__(self, settings: Settings, lock: HomeLock) -> None:
        self.settings = settings
        held = (lock.descriptor,)
        self._redis = [Child(part, held) for part in redis_parts(settings)]
        self._house = [Child(part, held) for part in house_parts(settings)]
        self._stopping = False
        self.first_code: str | None = None
        """Lets the first operator in."""

    def run(self) -> None:
        """Start everything, say where it is, and keep it running until told to stop.

        Raises:
            StartFailed: a process ended, or did not get ready, before the house was up.
        """
        with self._signals() as woken:
            try:
                self._start(self._redis, outside.redis_trouble, REDIS_READY_SECONDS, woken)
                self._start(self._house, outside.house_trouble, READY_SECONDS, woken)
                if not self._stopping:
                    sys.stdout.write(outside.announcement(self.settings, self.first_code))
                    sys.stdout.flush()
                while not self._stopping:
                    self._wait(woken, self._look_after())
            finally:
                self._stop(woken)

    @contextmanager
    def _signals(self) -> Iterator[socket.socket]:
        """A socket that becomes readable at each signal; stop signals set the flag."""
        woken, alarm = socket.socketpair()
        woken.setblocking(False)
        alarm.setblocking(False)

        def stop(number: int, _frame: FrameType | None) -> None:
            if not self._stopping:
                log.info("stopping (%s)", signal.Signals(number).name)
            self._stopping = True

        stops = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, stop) for number in stops}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        old_fd = signal.set_wakeup_fd(alarm.fileno(), warn_on_full_buffer=False)
        try:
            yield woken
        finally:
            signal.set_wakeup_fd(old_fd)
            for number, handler in before.items():
                signal.signal(number, handler)
            woken.close()
            alarm.close()

    @staticmethod
    def _wait(woken: socket.socket, seconds: float) -> None:
        if select.select([woken], [], [], max(0.0, seconds))[0]:
            woken.recv(4096)

    def _start(
        self,
        children: list[Child],
        trouble_of: Callable[[Settings], str],
        seconds: float,
        woken: socket.socket,
    ) -> None:
        for child in children:
            child.start()
        until = time.monotonic() + seconds
        tell_at = time.monotonic() + WAITING_SECONDS
        while children and not self._stopping and (trouble := trouble_of(self.settings)):
            for child in children:
                code = child.reap(time.monotonic())
                if code is not None and not self._stopping:
                    raise StartFailed(
                        f"{child.part.name} ended while starting ({how_it_ended(code)}); "
                        f"{self._where_it_says_why(child)}"
                    )
            if time.monotonic() > until:
                raise StartFailed(f"not ready after {seconds:.0f} s: {trouble}")
            if time.monotonic() > tell_at:
                log.info("starting still: %s", trouble)
                tell_at += WAITING_SECONDS
            self._wait(woken, 0.1)

    def _where_it_says_why(self, child: Child) -> str:
        if child in self._redis:
            log_file = self.settings.home.resolve() / own_redis.FOLDER / own_redis.LOG
            return f"see {log_file}"
        return "its lines above say why"

    def _look_after(self) -> float:
        """Start again what has crashed and is due; answer the seconds until the next is."""
        now = time.monotonic()
        waiting = []
        for child in [*self._redis, *self._house]:
            code = child.reap(now)
            if code is not None and not self._stopping:
                log.warning(
                    "%s ended (%s); starting it again in %.0f s",
                    child.part.name,
                    how_it_ended(code),
                    child.start_again_at - now,
                )
            if child.process is None and not self._stopping:
                if child.start_again_at <= now:
                    child.start()
                else:
                    waiting.append(child.start_again_at - now)
        return min(waiting, default=3600.0)

    def _stop(self, woken: socket.socket) -> None:
        """Redis last: the others hand back to it what they have in hand."""
        self._stopping = True
        for children, seconds in ((self._house, STOP_SECONDS), (self._redis, REDIS_STOP_SECONDS)):
            until = time.monotonic() + seconds
            for child in children:
                child.ask_to_stop()
            while any(child.running for child in children) and time.monotonic() < until:
                self._wait(woken, until - time.monotonic())
            for child in children:
                if child.running:
                    log.warning("%s did not stop in %.0f s; killed", child.part.name, seconds)
                child.kill()
