"""The rows of a sweep, each apart: one at which it fails holds up none of those behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from redis.exceptions import RedisError

from gateway.store import Store, away
from gateway.watch import incidents

log = logging.getLogger(__name__)

CAUSE = "sweep:"


def each(store: Store, sweep: str, ids: Iterable[int], work: Callable[[int], int]) -> int:
    """Do `work` for every row of a sweep and add up what it did.

    A row at which it fails is a line in the log, and an incident until a round goes well. A store
    or Redis that is away ends the round: it would fail at all the others too.
    """
    done = failed = 0
    for row in ids:
        try:
            done += work(row)
        except Exception as error:
            if away(error) or isinstance(error, RedisError):
                raise
            failed += 1
            log.exception(
                "sweep_row_failed sweep=%s row=%s error=%s", sweep, row, type(error).__name__
            )
    _mark(store, CAUSE + sweep, failed)
    return done


def _mark(store: Store, cause: str, failed: int) -> None:
    """Rounds are many and failures few: nothing is written where there is nothing to say."""
    with store.reading() as session:
        if not failed and not incidents.is_open(session, cause):
            return
    with store.transaction() as session:
        incidents.mark(session, cause, f"failed at {failed} of its rows" if failed else "")
