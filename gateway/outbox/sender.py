"""The sender: takes messages from the outbox and hands each to a provider once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Protocol

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from gateway.outbox import claim, fallback, money, wake
from gateway.outbox.bucket import Bucket
from gateway.outbox.network import FIRST, LONGEST_REQUEST, Network
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
PROBE_SECONDS = 0.05
SWEEP_SECONDS = 15.0
THREADS = 8
"""Requests at once: one takes a few hundred milliseconds, so eight keep the default rate."""
LEASE_MARGIN = 30.0
"""Seconds beyond the longest request, for an answer that waits to be written down."""


class Rooms(Protocol):
    """What a sender needs of the process's context."""

    @property
    def settings(self) -> Settings: ...
    @property
    def store(self) -> Store: ...
    @property
    def redis(self) -> Redis: ...


class Sender:
    """Run as many as you like, on as many machines: the store lets each message out once.

    `networks` in the order in which messages go by them; see gateway.outbox.fallback.
    """

    def __init__(self, context: Rooms, *networks: Network, threads: int = THREADS) -> None:
        if not networks:
            raise ValueError("a sender needs a network")
        self._store = context.store
        self._limits = money.Limits.of(context.settings)
        self._swept = float("-inf")
        self._lanes = [Lane(context, network, threads, self._limits) for network in networks]
        for place, lane in enumerate(self._lanes):
            lane.among(self._lanes, place, context.settings.fallback_after)

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set; then finish what is in flight and return."""
        first, *others = self._lanes
        threads = [
            threading.Thread(target=_beside, args=(lane, stop), name=f"lane-{lane.name}")
            for lane in others
        ]
        for thread in threads:
            thread.start()
        try:
            first.run(stop, self._sweep)
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _sweep(self) -> None:
        at = time.monotonic()
        first = self._swept == float("-inf")
        if at - self._swept < SWEEP_SECONDS:
            return
        with self._store.transaction() as session:
            for name, count in sweep(session, now()).items():
                repairs.note(session, name, count)
            watch(session, now())
            # Ceilings of before this start may have been others.
            money.release(session, now(), all_=first)
            money.watch(session, self._limits, now())
            beats.watch(session, now())  # who else would miss the scheduler?
        self._swept = at


def _beside(lane: Lane, stop: threading.Event) -> None:
    """One that fails ends the process, which is then started anew: it must not be missing
    unnoticed when it is needed."""
    try:
        lane.run(stop)
    finally:
        stop.set()


class Each(Protocol):
    """Done before each round."""

    def __call__(self) -> None: ...


class Lane:
    """One provider's way out: its own threads, bucket, pause and incidents."""

    def __init__(
        self, context: Rooms, network: Network, threads: int, limits: money.Limits
    ) -> None:
        settings = context.settings
        self._limits = limits
        if network.longest_request > LONGEST_REQUEST:
            raise ValueError(f"{network.name}: no request may take {network.longest_request} s")
        self.name, self.pause = network.name, Pause()
        self._store, self._redis, self._network = context.store, context.redis, network
        bucket = settings.sender_id or settings.short_code or "default"
        scope = "" if self.name == FIRST else f"{self.name}:"
        self._bucket = Bucket(context.redis, scope + bucket, settings.send_rate)
        # Longer than any request can take, so that a lease runs out only when its sender is dead.
        self.lease = timedelta(seconds=network.longest_request + LEASE_MARGIN)
        self._threads = threads
        self._free = threading.Semaphore(threads)
        self._settler = Settler(
            context.store, self.pause, self.lease.total_seconds(), self._release, self.name, limits
        )
        self.among([self], 0, 0.0)

    def among(self, lanes: Sequence[Lane], place: int, after: float) -> None:
        """Which lanes there are, and where this one stands; `after` is in seconds."""
        self._lanes, self._place, self._after = lanes, place, after

    def run(self, stop: threading.Event, each: Each = lambda: None) -> None:
        settling = threading.Thread(target=self._settler.run, name=f"settler-{self.name}")
        settling.start()
        try:
            with ThreadPoolExecutor(self._threads, f"sender-{self.name}") as pool:
                self._rounds(pool, stop, each)
        finally:
            self._settler.close()
            settling.join()

    def _rounds(self, pool: ThreadPoolExecutor, stop: threading.Event, each: Each) -> None:
        trouble = 0
        while not stop.is_set():
            try:
                each()
                self._round(pool, stop)
                trouble = 0
            except SQLAlchemyError as error:
                trouble += 1
                log.error("the store cannot be used now: %s", type(error).__name__)
                stop.wait(min(5.0, 0.2 * 2**trouble))

    def _round(self, pool: ThreadPoolExecutor, stop: threading.Event) -> None:
        """Send off as many messages as there are free threads and tokens, or wait a moment."""
        if rest := self.pause.remaining(time.monotonic()):
            stop.wait(min(rest, POLL_SECONDS))
            return
        share = self._share()
        with self._store.reading() as session:
            anything = claim.due(session, now(), share)
        if not anything:
            self._idle(stop)
            return
        slots = self._acquire_probe(stop) if self.pause.probing else self._acquire(self._threads)
        claimed: list[Message] = []
        try:
            claimed = self._claim(slots, share, stop)
        finally:
            self._release(slots - len(claimed))
        for message in claimed:
            pool.submit(self._send, message)

    def _share(self) -> fallback.Share:
        at = time.monotonic()
        order = [lane.pause.standing(at) for lane in self._lanes]
        names = [lane.name for lane in self._lanes]
        return fallback.share(names, self._place, order, self._after)

    def _acquire(self, most: int) -> int:
        """Take up to `most` free threads; waits a moment for the first."""
        if not self._free.acquire(timeout=POLL_SECONDS):
            return 0
        taken = 1
        while taken < most and self._free.acquire(blocking=False):
            taken += 1
        return taken

    def _acquire_probe(self, stop: threading.Event) -> int:
        """One thread once nothing else is in flight: whatever went before would only meet the
        same trouble, and perhaps be lost to it."""
        taken = self._acquire(self._threads)
        if taken == self._threads:
            self._release(taken - 1)
            return 1
        self._release(taken)
        stop.wait(PROBE_SECONDS)
        return 0

    def _release(self, count: int) -> None:
        if count:
            self._free.release(count)

    def _claim(self, most: int, share: fallback.Share, stop: threading.Event) -> list[Message]:
        tokens, wait = self._bucket.take(most) if most else (0, 0.0)
        if not tokens:
            stop.wait(min(wait, POLL_SECONDS))
            return []
        used = 0
        try:
            with self._store.transaction() as session:
                claimed = claim.claim(
                    session,
                    limit=tokens,
                    lease=self.lease,
                    now=now(),
                    share=share,
                    limits=self._limits,
                )
            used = sum(message.parts for message in claimed)
        finally:
            self._bucket.settle(tokens, used)
        return claimed

    def _idle(self, stop: threading.Event) -> None:
        """Nothing is due: sleep until a commit wakes us, or for the poll interval.

        A wake-up wakes one who waits, so only the first of the order waits for it.
        """
        if self._place:
            stop.wait(POLL_SECONDS)
            return
        try:
            wake.wait(self._redis, POLL_SECONDS)
        except RedisError:
            stop.wait(POLL_SECONDS)

    def _send(self, message: Message) -> None:
        try:
            result = self._network.send(message.address, message.text or "")
        except Exception:
            # The row stays in `sending`; its lease runs out and it becomes `unknown`.
            log.exception("message_not_sent message=%s", message.id)
            self._free.release()
            return
        self.pause.note(result, time.monotonic())
        self._settler.put(message, result)
