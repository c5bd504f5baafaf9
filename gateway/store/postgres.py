"""PostgreSQL that hangs: a server without time, a network that swallows packets.

The server's own limits end what takes too long while it lives. One that is stopped enforces none,
and its kernel keeps every connection up, so waiting has an end on this side too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
import sqlalchemy
from psycopg.abc import PQGen
from psycopg.waiting import Ready
from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

from gateway.store.budget import Rest, waiting

T = TypeVar("T")

STATEMENT_SECONDS = 60
LOCK_SECONDS = 10
ANSWER_SECONDS = STATEMENT_SECONDS + 5.0
"""Without a word for so long, a server that still ran would have ended the statement itself."""
CONNECT_SECONDS, LEAST_CONNECT_SECONDS = 5, 2
"""libpq knows no shorter time for connecting."""
POOL_SECONDS = 5

LIMITS = {"statement_timeout": STATEMENT_SECONDS, "lock_timeout": LOCK_SECONDS}
"""Seconds that the server itself gives a statement, and a wait for a lock."""
LIMIT_A_TRANSACTION = "SELECT " + ", ".join(
    f"set_config('{name}', '{seconds}s', true)" for name, seconds in LIMITS.items()
)
DEFAULTS: dict[str, str | int] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "options": " ".join(f"-c {name}={seconds}s" for name, seconds in LIMITS.items()),
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


class Pooler:
    """Whether a pooler such as PgBouncer stands before the server and gives each transaction
    another connection: it refuses our options or drops them, knows no prepared statements, and what
    a session sets is somebody else's afterwards. Found out by the first connection."""

    def __init__(self) -> None:
        self.known = False
        self.there = False

    def connect(self, *args: Any, **parameters: Any) -> Connection:
        if not self.there:
            try:
                made = Connection.connect(*args, **parameters)
            except psycopg.OperationalError as error:
                if "unsupported startup parameter" not in str(error):
                    raise
                self.known = self.there = True
            else:
                if not self.known:
                    self._look(made, str(parameters.get("options", "")))
                if not self.there:
                    return made
                made.close()
        bare = {name: value for name, value in parameters.items() if name != "options"}
        made = Connection.connect(*args, **bare)
        made.prepare_threshold = None
        return made

    def _look(self, made: Connection, asked: str) -> None:
        """Whether the server heard what the connection asked for."""
        if asked == DEFAULTS["options"]:
            row = made.execute("SELECT setting FROM pg_settings WHERE name = %s", ["lock_timeout"])
            self.there = row.fetchone() != (str(1000 * LOCK_SECONDS),)
            made.rollback()
        self.known = True


def pooled(engine: Engine) -> bool:
    """Whether a pooler was found before the server."""
    found: Pooler = engine.dialect.leafline_pooler  # type: ignore[attr-defined]
    return found.there


def install(engine: Engine) -> None:
    """Let the engine make connections of this kind."""
    rest, pooler = Rest(), Pooler()
    engine.dialect.leafline_pooler = pooler  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _limit(connection: sqlalchemy.Connection) -> None:
        if pooler.there and connection.get_execution_options().get("leafline_limits", True):
            connection.exec_driver_sql(LIMIT_A_TRANSACTION)

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
                made = pooler.connect(*args, **(parameters | {"connect_timeout": limit}))
            except psycopg.errors.ConnectionTimeout:
                rest.begin()
                raise
        rest.end()
        return made
