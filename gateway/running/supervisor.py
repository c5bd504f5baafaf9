"""`leafline up`: every process of the house, started in order, watched, stopped in order."""

from __future__ import annotations

import logging
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import click
import redis

from gateway.running import own_redis
from gateway.running.children import Child, Part, how_it_ended
from gateway.running.premises import HomeLock
from gateway.settings import Settings

log = logging.getLogger("leafline.up")

READY_SECONDS = 60.0
REDIS_READY_SECONDS = 20.0
STOP_SECONDS = 17.0
REDIS_STOP_SECONDS = 2.5
"""The two together stay below the 20 s in which everything has stopped."""

PAGES = ("kiosk", "officer", "operator", "simulator")


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


class House:
    """All processes of one home. Use it from the main thread."""

    def __init__(self, settings: Settings, lock: HomeLock) -> None:
        self.settings = settings
        held = (lock.descriptor,)
        self._redis = [Child(part, held) for part in redis_parts(settings)]
        self._house = [Child(part, held) for part in house_parts(settings)]
        self._stopping = False

    def run(self) -> None:
        """Start everything, say where it is, and keep it running until told to stop.

        Raises:
            StartFailed: a process ended, or did not get ready, before the house was up.
        """
        with self._signals() as woken:
            try:
                self._start(self._redis, self._redis_answers, REDIS_READY_SECONDS, woken)
                self._start(self._house, self._house_is_ready, READY_SECONDS, woken)
                if not self._stopping:
                    sys.stdout.write(announcement(self.settings))
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
        is_ready: object,
        seconds: float,
        woken: socket.socket,
    ) -> None:
        assert callable(is_ready)
        for child in children:
            child.start()
        until = time.monotonic() + seconds
        while children and not self._stopping and not is_ready():
            for child in children:
                code = child.reap(time.monotonic())
                if code is not None and not self._stopping:
                    raise StartFailed(
                        f"{child.part.name} ended while starting ({how_it_ended(code)}); "
                        f"{self._where_it_says_why(child)}"
                    )
            if time.monotonic() > until:
                raise StartFailed(f"not ready after {seconds:.0f} s; the lines above say why")
            self._wait(woken, 0.1)

    def _where_it_says_why(self, child: Child) -> str:
        if child in self._redis:
            log_file = self.settings.home.resolve() / own_redis.FOLDER / own_redis.LOG
            return f"see {log_file}"
        return "its lines above say why"

    def _redis_answers(self) -> bool:
        client = redis.Redis.from_url(self.settings.queue_url, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:  # not there yet, or still reading its file
            return False
        finally:
            client.close()

    def _house_is_ready(self) -> bool:
        web = _status(f"{self.settings.url}/health/ready") == 200
        return web and (not self.settings.simulator_on or self._simulator_answers())

    def _simulator_answers(self) -> bool:
        return _status(self.settings.simulator_url) is not None

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


def announcement(settings: Settings) -> str:
    """What to open, for a person at the terminal. The simulator has its own address."""
    lines = ["", "Leafline is running. Ctrl-C stops it.", ""]
    for page in PAGES:
        address = f"{settings.url}/{page}"
        if _status(address) not in (None, 404):
            lines.append(f"  {page:<10} {address}")
    lines.append(f"  {'webhooks':<10} {settings.url}/africastalking/{settings.webhook_keys[0]}/")
    lines.append(f"  {'home':<10} {settings.home.resolve()}")
    return "\n".join([*lines, "", ""])


def _status(address: str) -> int | None:
    """HTTP status of an address of our own, None when nothing answers."""
    try:
        with urlopen(address, timeout=5) as answer:  # noqa: S310 (our own address)
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (URLError, OSError):
        return None
