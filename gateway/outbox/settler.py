"""Writing results down: one thread, many at once, for each commit is a sync of the disk."""

from __future__ import annotations

import logging
import queue
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.outbox import claim, money
from gateway.outbox.network import FIRST, Outcome, SendResult, cause_of
from gateway.outbox.pause import Pause
from gateway.store import Store, away
from gateway.store.base import now
from gateway.store.models import Case, Message
from gateway.watch import incidents

log = logging.getLogger("leafline.outbox")

BATCH = 32
LAST_PATIENCE = 5.0
"""Seconds for a store that is away once the process is to end; it has 20 for everything."""

DETAIL = "no message leaves this way until this is seen to"

Result = tuple[Message, SendResult]


class Settler:
    """Takes results from any thread; `run` writes them until `close` is called."""

    def __init__(
        self,
        store: Store,
        pause: Pause,
        patience: float,
        done: Callable[[int], None],
        provider: str = FIRST,
        limits: money.Limits = money.NONE,
    ) -> None:
        """`patience`: seconds for which a store that is away is tried again; `done` is told how
        many results have been dealt with."""
        self._store, self._pause, self._patience, self._done = store, pause, patience, done
        self._cause, self._limits = cause_of(provider), limits
        self._results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self._alarmed = True  # an earlier run may have left an incident open

    def put(self, message: Message, result: SendResult) -> None:
        self._results.put((message, result))

    def close(self) -> None:
        """Let `run` end when everything put so far is written, or cannot be for a few seconds."""
        self._patience = min(self._patience, LAST_PATIENCE)
        self._results.put(None)

    def run(self) -> None:
        open_ = True
        while open_:
            taken = [self._results.get()]
            with suppress(queue.Empty):
                while len(taken) < BATCH:
                    taken.append(self._results.get_nowait())
            open_ = None not in taken
            batch = [result for result in taken if result is not None]
            try:
                self._settle(batch)
            finally:
                self._done(len(batch))

    def _settle(self, batch: Sequence[Result]) -> None:
        """Write a batch with patience: as long as the leases hold nobody else will."""
        began, delay = time.monotonic(), 0.1
        while batch:
            try:
                cases = self._write(batch)
            except Exception as error:
                if away(error) and time.monotonic() + delay - began < self._patience:
                    time.sleep(delay)
                    delay = min(5.0, delay * 2)
                    continue
                if len(batch) == 1:
                    # The row stays in `sending`; its lease runs out and it becomes `unknown`.
                    log.error("message_not_settled message=%s error=%s",
                              batch[0][0].id, type(error).__name__)  # fmt: skip
                    return
                for result in batch:  # one that cannot be written must not hold the others
                    self._settle([result])
            else:
                _tell(batch, cases)
            return

    def _write(self, batch: Sequence[Result]) -> Mapping[int, str]:
        """Returns: the codes of their cases, by id."""
        ids = {message.case_id for message, _ in batch if message.case_id is not None}
        with self._store.transaction() as session:
            for message, result in batch:
                claim.settle(session, message.id, result, now(), random.random(), self._limits)  # noqa: S311
            alarmed = self._watch(session, batch)
            query = select(Case.id, Case.code).where(Case.id.in_(ids))
            cases = {row.id: row.code for row in session.execute(query)} if ids else {}
        self._alarmed = alarmed
        return cases

    def _watch(self, session: Session, batch: Sequence[Result]) -> bool:
        """Open an incident when the channel needs a person, close it when it works again."""
        if alarm := self._pause.alarm:
            incidents.open_(session, self._cause + alarm, DETAIL)
            return True
        if self._alarmed and any(result.outcome is Outcome.SENT for _, result in batch):
            incidents.close(session, self._cause)
            return False
        return self._alarmed


def _tell(batch: Sequence[Result], cases: Mapping[int, str]) -> None:
    for message, result in batch:
        log.info("message_settled message=%s kind=%s case=%s outcome=%s reason=%s",
                 message.id, message.kind, cases.get(message.case_id or 0, "-"), result.outcome,
                 result.reason or "-")  # fmt: skip
