"""The sender: takes messages from the outbox and hands each to the network once."""

from __future__ import annotations

import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Protocol

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway.outbox import claim, incidents, wake
from gateway.outbox.bucket import Bucket
from gateway.outbox.network import Network, Outcome, SendResult
from gateway.outbox.pause import Pause
from gateway.outbox.sweep import sweep
from gateway.outbox.watch import watch
from gateway.settings import Settings
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Message

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
        self._bucket = Bucket(context.redis, settings.sender_id or "default", settings.send_rate)
        # Longer than any request can take, so that a lease runs out only when its sender is dead.
        self._lease = timedelta(seconds=2 * settings.at_timeout + 30)
        self._threads = threads
        self._free = threading.Semaphore(threads)
        self._pause = Pause()
        self._swept = float("-inf")
        self._alarmed = True  # an earlier run may have left an incident open

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set; then finish what is in flight and return."""
        trouble = 0
        with ThreadPoolExecutor(self._threads, thread_name_prefix="sender") as pool:
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
            if spare := slots - len(claimed):
                self._free.release(spare)
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
            self._pause.note(result, time.monotonic())
            self._settle(message, result)
        except Exception:
            # The row stays in `sending`; its lease runs out and it becomes `unknown`.
            log.exception("message %d: an error of ours while sending", message.id)
        finally:
            self._free.release()

    def _settle(self, message: Message, result: SendResult) -> None:
        """Write the result down, with patience: while the lease holds nobody else will."""
        deadline = time.monotonic() + self._lease.total_seconds()
        delay = 0.1
        while True:
            try:
                with self._store.transaction() as session:
                    claim.settle(session, message.id, result, now(), random.random())  # noqa: S311
                    self._watch(session, result)
                break
            except SQLAlchemyError:
                if time.monotonic() + delay > deadline:
                    raise
                time.sleep(delay)
                delay = min(5.0, delay * 2)
        log.info(
            "message %d (%s): %s%s",
            message.id,
            message.kind,
            result.outcome,
            f", {result.reason}" if result.reason else "",
        )

    def _watch(self, session: Session, result: SendResult) -> None:
        """Open an incident when the channel needs a person, close it when it works again."""
        if alarm := self._pause.alarm:
            self._alarmed = True
            incidents.open_(session, f"channel:{alarm}", "no message leaves until this is seen to")
        elif self._alarmed and result.outcome is Outcome.SENT:
            incidents.close(session, "channel:")
            self._alarmed = False

    def _sweep(self) -> None:
        at = time.monotonic()
        if at - self._swept < SWEEP_SECONDS:
            return
        with self._store.transaction() as session:
            repaired = sweep(session, now())
            watch(session, now())
        self._swept = at
        if repaired:
            log.warning("outbox repaired: %s", dict(repaired))
