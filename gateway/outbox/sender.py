"""The sender: takes messages from the outbox and hands each to the network once."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Protocol

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from gateway.outbox import claim, wake
from gateway.outbox.bucket import Bucket
from gateway.outbox.network import Network
from gateway.outbox.pause import Pause
from gateway.outbox.settler import Settler
from gateway.outbox.sweep import sweep
from gateway.outbox.trouble import watch
from gateway.settings import Settings
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Message
from gateway.watch import beats, repairs

log = logging.getLogger("leafline.outbox")

POLL_SECONDS = 0.5
"""Shorter than the socket timeout of the process's Redis client, under which it waits."""
SWEEP_SECONDS = 15.0
THREADS = 8
"""Requests at once: one takes a few hundred milliseconds, so eight keep the default rate."""


class Rooms(Protocol):
    """What a sender needs of the process's context."""

    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def redis(self) -> Redis: ...


class Sender:
    """Run as many as you like, on as many machines: the store lets each message out once."""

    def __init__(self, context: Rooms, network: Network, *, threads: int = THREADS) -> None:
        settings = context.settings
        self._store, self._redis, self._network = context.store, context.redis, network
        self._bucket = Bucket(
            context.redis,
            settings.sender_id or settings.short_code or "default",
            settings.send_rate,
        )
        # Longer than any request can take, so that a lease runs out only when its sender is dead.
        self._lease = timedelta(seconds=2 * settings.at_timeout + 30)
        self._threads = threads
        self._free = threading.Semaphore(threads)
        self._pause = Pause()
        self._swept = float("-inf")
        patience = self._lease.total_seconds()
        self._settler = Settler(context.store, self._pause, patience, self._release)

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set; then finish what is in flight and return."""
        settling = threading.Thread(target=self._settler.run, name="settler")
        settling.start()
        try:
            with ThreadPoolExecutor(self._threads, thread_name_prefix="sender") as pool:
                self._rounds(pool, stop)
        finally:
            self._settler.close()
            settling.join()

    def _rounds(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        trouble = 0
        while not stop.is_set():
            try:
                self._sweep()
                self._round(pool, stop)
                trouble = 0
            except SQLAlchemyError as error:
                trouble += 1
                log.error("the store cannot be used now: %s", type(error).__name__)
                stop.wait(min(5.0, 0.2 * 2**trouble))

    def _round(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        """Send off as many messages as there are free threads and tokens, or wait a moment."""
        if rest := self._pause.remaining(time.monotonic()):
            stop.wait(min(rest, POLL_SECONDS))
            return
        with self._store.reading() as session:
            anything = claim.due(session, now())
        if not anything:
            self._idle(stop)
            return
        slots = self._acquire(1 if self._pause.probing else self._threads)
        claimed: list[Message] = []
        try:
            claimed = self._claim(slots, stop)
        finally:
            self._release(slots - len(claimed))
        for message in claimed:
            pool.submit(self._send, message)

    def _acquire(self, most: int) -> int:
        """Take up to `most` free threads; waits a moment for the first."""
        if not self._free.acquire(timeout=POLL_SECONDS):
            return 0
        taken = 1
        while taken < most and self._free.acquire(blocking=False):
            taken += 1
        return taken

    def _release(self, count: int) -> None:
        if count:
            self._free.release(count)

    def _claim(self, most: int, stop: threading.Event) -> list[Message]:
        tokens, wait = self._bucket.take(most) if most else (0, 0.0)
        if not tokens:
            stop.wait(min(wait, POLL_SECONDS))
            return []
        used = 0
        try:
            with self._store.transaction() as session:
                claimed = claim.claim(session, limit=tokens, lease=self._lease, now=now())
            used = sum(message.parts for message in claimed)
        finally:
            self._bucket.settle(tokens, used)
        return claimed

    def _idle(self, stop: threading.Event) -> None:
        """Nothing is due: sleep until a commit wakes us, or for the poll interval."""
        try:
            wake.wait(self._redis, POLL_SECONDS)
        except RedisError:
            stop.wait(POLL_SECONDS)

    def _send(self, message: Message) -> None:
        try:
            result = self._network.send(message.address, message.text or "")
        except Exception:
            # The row stays in `sending`; its lease runs out and it becomes `unknown`.
            log.exception("message %d: an error of ours while sending", message.id)
            self._free.release()
            return
        self._pause.note(result, time.monotonic())
        self._settler.put(message, result)

    def _sweep(self) -> None:
        at = time.monotonic()
        if at - self._swept < SWEEP_SECONDS:
            return
        with self._store.transaction() as session:
            for name, count in sweep(session, now()).items():
                repairs.note(session, name, count)
            watch(session, now())
            beats.watch(session, now())  # who else would miss the scheduler?
        self._swept = at
