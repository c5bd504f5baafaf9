"""PostgreSQL that hangs: a server without time, a network that swallows packets.

The server's own limits end what takes too long while it lives. One that is stopped enforces none,
and its kernel keeps every connection up, so waiting has an end on this side too.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

from gateway.store.budget import waiting

T = TypeVar("T")

STATEMENT_SECONDS = 60
LOCK_SECONDS = 10
ANSWER_SECONDS = STATEMENT_SECONDS + 5.0
"""Without a word for so long, a server that still ran would have ended the statement itself."""
CONNECT_SECONDS, LEAST_CONNECT_SECONDS = 5, 2
"""libpq knows no shorter time for connecting."""
POOL_SECONDS = 5
REST_SECONDS = 1.0

DEFAULTS: dict[str, str | int] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s",
}
"""libpq's parameters; what the URL names itself is left alone."""


class Connection(psycopg.Connection[Any]):
    """Closes itself when no answer comes, and says so as an error of the connection."""

    def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        try:
            with waiting(ANSWER_SECONDS) as seconds:
                return super().wait(_impatient(gen, seconds), *args, **kwargs)
        except Unanswered:
            self.close()  # the answer may come later, to whoever asks next
            raise


class Unanswered(psycopg.OperationalError):
    """The server did not answer in the time that the caller has."""


def _impatient(gen: PQGen[T], seconds: float) -> Generator[Any, Any, T]:
    """Goes on with `gen` as long as the server says something, or `seconds` are left.

    psycopg says "nothing ready" every tenth of a second.
    """
    until = time.monotonic() + seconds
    try:
        asked = next(gen)
        while True:
            ready = yield asked
            if ready == Ready.NONE and time.monotonic() >= until:
                raise Unanswered("the server did not answer in time")
            asked = gen.send(ready)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


class Rest:
    """After a silence nobody connects for a moment, and then one goes ahead of the others.

    Else every thread of a web process would soon be waiting for the same server.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: float | None = None

    def begin(self) -> None:
        with self._lock:
            self._until = time.monotonic() + REST_SECONDS

    def end(self) -> None:
        with self._lock:
            self._until = None

    def over(self) -> bool:
        with self._lock:
            if self._until is None:
                return True
            if time.monotonic() < self._until:
                return False
            self._until = time.monotonic() + REST_SECONDS
            return True


def install(engine: Engine) -> None:
    """Let the engine make connections of this kind."""
    rest = Rest()

    @event.listens_for(engine, "handle_error")
    def _judge(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, Unanswered):
            rest.begin()
            # A caller without patience says nothing about the connections of others.
            context.invalidate_pool_on_disconnect = False

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, args: Any, parameters: dict[str, Any]) -> Connection:
        usual = float(parameters["connect_timeout"])
        with waiting(usual) as seconds:
            if not seconds or not rest.over():
                # Not Unanswered: that begins a rest, which would then have no end.
                raise psycopg.OperationalError("the server did not answer just now")
            limit = max(LEAST_CONNECT_SECONDS, math.ceil(min(seconds, usual)))
            try:
                made = Connection.connect(*args, **(parameters | {"connect_timeout": limit}))
            except psycopg.errors.ConnectionTimeout:
                rest.begin()
                raise
        rest.end()
        return made
