"""The HTTP server of one web process: waitress, with bounds on what a stranger can take.

waitress reads connections in one loop and hands a request to a thread when it is whole, so a
client that drips holds a socket and no thread. What it leaves open is closed here: how long a
request may take to arrive, how many connections one address may hold, how much may be buffered,
and that an early refusal reaches a client which is still sending.

A process has one loop (its main thread); everything here without a lock runs in it.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

from gateway.health import UNREADY
from gateway.running.lanes import Lanes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HEADER_BYTES = 32 * 1024
CONTROL_BYTES = 8 * 1024
"""A chunk's own line and the trailers; waitress looks through them anew with each piece."""
SMALL_BYTES = 64 * 1024
"""A body of this size, such as a callback's, always finds room."""
STEP_BYTES = 256 * 1024
LINGER_SECONDS = 30.0
LINGER_BYTES = 128 * 1024 * 1024
LOOP_SECONDS = 1
DRAIN_LOOP_SECONDS = 0.1
CLOSED = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
"""Of an answer that the application does not give; its own say so themselves."""
SPARE = 64
"""Connections above the bound that are taken while others are being closed for them."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one process. Seconds are of the clock, from the first moment on."""

    body_bytes: int
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    """For a body of any size; a larger one has longer, as a poor line is no attack."""
    slowest: float = 2048.0
    """Bytes a second: what a line that barely carries a phone call does."""
    body_seconds_most: float = 600.0
    idle_seconds: float = 130.0
    """Between two requests: longer than Caddy (120 s) and nginx (60 s) keep a connection, so that
    it is never we who close one on which a proxy is about to send."""
    answer_seconds: float = 60.0
    """Without a byte of the answer read."""
    connections: int = 512
    per_address: int = 100
    """Connections of one address without a whole request: many phones share one of a network's."""
    buffered_bytes: int = 192 * 1024 * 1024
    """Bodies of all connections together. They stay in memory: a temporary file would hold people's
    photos unsealed."""

    def body_time(self, size: int) -> float:
        """Seconds in which a body of that size must be here."""
        return min(self.body_seconds + size / self.slowest, self.body_seconds_most)


def forwarded(headers: Mapping[str, str], proxies: int) -> tuple[str, str]:
    """Address and scheme that the outermost of our proxies saw; empty what none of them told.

    What stands further left in a header came from outside, so anybody may have written it.
    """

    def told(name: str) -> str:
        entries = [entry.strip().strip('"') for entry in headers.get(name, "").split(",")]
        return entries[-min(proxies, len(entries))]

    scheme = told("X_FORWARDED_PROTO").lower()
    return _address(told("X_FORWARDED_FOR")), scheme if scheme in ("http", "https") else ""


def _address(entry: str) -> str:
    """An IP address without brackets and port; empty when it is none."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    with suppress(ValueError):
        return str(ipaddress.ip_address(entry))
    return ""


def neighbourhood(address: str) -> str:
    """What is counted as one address: of IPv6 the 64 bits that one customer gets."""
    with suppress(ValueError):
        ip = ipaddress.ip_address(address)
        if ip.version == 6 and ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((ip, 64), strict=False))
    return address


class Refusal(Error):
    """An answer that the application need not give."""

    def __init__(self, status: int, reason: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.reason, self.name = status, reason, code


TOO_LARGE = Refusal(
    413, "Request Entity Too Large", "too_large", "the photo or one of the fields is too large"
)
TOO_SLOW = Refusal(
    408, "Request Timeout", "too_slow", "it took too long to arrive; please send it again"
)
FULL = Refusal(
    503, "Service Unavailable", "busy", "very much arrives just now; keep it and send it later"
)


class _Answer(WSGITask):
    """A request for the application."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        server = self.channel.server
        environ[UNREADY] = server.unready
        if server.proxies:
            address, scheme = forwarded(self.request.headers, server.proxies)
            environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = address or environ["REMOTE_ADDR"]
            environ["wsgi.url_scheme"] = scheme or environ["wsgi.url_scheme"]
        return environ

    def build_response_header(self) -> bytes:
        if self.channel.server.draining:
            self.set_close_on_finish()
        header: bytes = super().build_response_header()
        return header


class _Refuse(ErrorTask):
    """A refusal in words of ours, for programs at the API as RFC 9457 has it."""

    def execute(self) -> None:
        error = self.request.error
        self.response_headers.extend(CLOSED)
        if isinstance(error, RequestEntityTooLarge):
            error = TOO_LARGE
        if not isinstance(error, Refusal):
            super().execute()
            return
        body, kind = f"{error.body}\n".encode(), "text/plain; charset=utf-8"
        if getattr(self.request, "path", "").startswith("/api/"):
            about = {"type": "about:blank", "title": error.reason, "status": error.code}
            body = json.dumps(about | {"code": error.name, "detail": error.body}).encode()
            kind = "application/problem+json"
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", kind))
        if error is FULL:
            self.response_headers.append(("Retry-After", "15"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Parser(HTTPRequestParser):
    """Reads one request; bounds what chunks may hold beside the body."""

    def received(self, data: bytes) -> int:
        taken: int = super().received(data)
        if self.chunked and self.body_rcv is not None and not self.completed:
            beside = len(self.body_rcv.control_line) + len(self.body_rcv.trailer)
            if beside > CONTROL_BYTES:
                self.refuse(BadRequest("Too much beside the chunks"))
        if self.error:
            self.refuse(self.error)
        return taken

    def refuse(self, error: Error) -> None:
        """Let go of what came of it, and ask for no more."""
        self.error, self.completed, self.expect_continue = error, True, False
        self.close()
        self.body_rcv = None

    @property
    def held(self) -> int:
        """Bytes of the body in memory."""
        return len(self.body_rcv) if self.body_rcv is not None else 0


class Channel(HTTPChannel):
    """One connection."""

    task_class = _Answer
    error_task_class = _Refuse
    parser_class = _Parser
    server: Server
    request: _Parser | None
    will_close: bool

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self.client = "" if self.server.proxies else neighbourhood(self.addr[0])
        self.began = self.header_at = time.monotonic()
        """When what arrives now began, and when its header was whole."""
        self._header_of: _Parser | None = None
        self._look_again_at = 0
        self._answered = False
        self.refused = False
        self._lingers_until = 0.0
        self._thrown_away = 0
        self.server.make_room(self.client)

    # What arrives

    def handle_read(self) -> None:
        if not self._lingers_until:
            super().handle_read()
            return
        try:
            data = self.recv(self.adj.recv_bytes)  # closes at the end of what comes
        except OSError:
            self.handle_close()
            return
        self._thrown_away += len(data)
        if self._thrown_away > LINGER_BYTES:
            self.handle_close()

    def received(self, data: bytes) -> bool:
        before = self.request
        going_on: bool = super().received(data)
        request = self.request
        if request is not before or request is None:
            self.began = time.monotonic()
        if request is None:
            if self.server.proxies:
                self.client = ""  # the next request on it is somebody else's
            return going_on
        if request.headers_finished and request is not self._header_of:
            self._header_of, self.header_at = request, time.monotonic()
            self._look_again_at = SMALL_BYTES
            if self.server.proxies:
                self.client = neighbourhood(forwarded(request.headers, self.server.proxies)[0])
                self.server.make_room(self.client)
        if request.held > self._look_again_at:
            self._look_again_at = request.held + STEP_BYTES
            if self.server.buffered() > self.server.limits.buffered_bytes:
                self.give_up(FULL)
        return going_on

    def give_up(self, error: Error | None) -> None:
        """Answer what has not arrived as a whole with `error`, or close without a word."""
        if self._lingers_until:
            self.handle_close()
            return
        with self.requests_lock:
            if self.requests or self.will_close or self.close_when_flushed:
                return
            if error is None or self.request is None or not self.request.headers_finished:
                self.will_close = True
                return
            self.request.refuse(error)
            self.requests.append(self.request)
            self.request = None
            self.server.add_task(self)

    # What is answered

    def service(self) -> None:
        """In a thread of a lane."""
        self.refused = self.refused or bool(self.requests[0].error)
        super().service()
        self._answered = True

    def readable(self) -> bool:
        return bool(self._lingers_until or super().readable())

    def writable(self) -> bool:
        return bool(not self._lingers_until and super().writable())

    def handle_close(self) -> None:
        """After an early refusal read on for a while: closing a socket on which something lies
        unread makes the other side lose the answer."""
        if self.refused and self.connected and not self._lingers_until:
            with suppress(OSError):  # the other side may have gone already
                self.socket.shutdown(socket.SHUT_WR)
                self.will_close = self.close_when_flushed = False
                self._lingers_until = time.monotonic() + LINGER_SECONDS
                return
        super().handle_close()

    # How long it may stay

    @property
    def idle(self) -> bool:
        """Nothing has begun to arrive, and nothing is being answered."""
        return self.request is None and self.unfinished

    @property
    def unfinished(self) -> bool:
        """No request is in the hands of a thread, and no answer on its way."""
        return not self.requests and not self.total_outbufs_len

    @property
    def lingers(self) -> bool:
        return self._lingers_until > 0

    def see_to(self, now: float, limits: Limits) -> None:
        """Close it, or refuse what arrives, when the other side had its time."""
        quiet = time.time() - self.last_activity
        if self._lingers_until:
            if now > self._lingers_until:
                self.handle_close()
        elif self.total_outbufs_len:
            if quiet > limits.answer_seconds:
                self.refused = False
                self.handle_close()
        elif self.idle:
            if quiet > (limits.idle_seconds if self._answered else limits.header_seconds):
                self.give_up(None)
        elif self.request is not None and not self.request.headers_finished:
            if now - self.began > limits.header_seconds:
                self.give_up(None)
        elif self.request is not None:
            size = self.request.content_length or self.request.held
            if now - self.header_at > limits.body_time(size):
                self.give_up(TOO_SLOW)

    def dispensable(self, now: float) -> tuple[int, float]:
        """How well it can be missed, the greatest best: one that was refused, one that is only kept
        open after an answer, the oldest without a header, then the slowest body."""
        if self.refused:
            return (3, now - self.began)
        if self.request is None and self._answered:
            return (2, now - self.began)
        if self.request is None or not self.request.headers_finished:
            return (1, now - self.began)
        return (0, -self.request.body_bytes_received / max(now - self.header_at, 0.001))


class Server(TcpWSGIServer):
    """What one web process accepts on the listening socket that it shares with others."""

    channel_class = Channel

    def __init__(
        self,
        application: WSGIApplication,
        listener: socket.socket,
        *,
        threads: int,
        limits: Limits,
        proxies: int = 0,
    ) -> None:
        self.limits, self.proxies = limits, proxies
        self.draining = self.unready = False
        self._listens = True
        self._stops_at = self._ends_at = 0.0
        super().__init__(
            application,
            map={},
            _sock=listener,
            dispatcher=Lanes.open(threads),
            adj=Adjustments(
                sockets=[listener],
                connection_limit=limits.connections + SPARE,
                max_request_header_size=HEADER_BYTES,
                max_request_body_size=limits.body_bytes + 1,
                inbuf_overflow=2 * limits.body_bytes,  # never reached: see buffered_bytes
                recv_bytes=64 * 1024,
                cleanup_interval=LOOP_SECONDS,
                log_socket_errors=False,
                ident=None,
            ),
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def run(self) -> None:
        """Serve until drained."""
        while not self._drained(time.monotonic()):
            seconds = DRAIN_LOOP_SECONDS if self.draining else LOOP_SECONDS
            wasyncore.loop(seconds, use_poll=True, map=self._map, count=1)

    def drain(self, stops_in: float, ends_in: float, *, quietly: bool = False) -> None:
        """Finish and return from `run`: readiness says no from now on, connections are taken for
        `stops_in` seconds more, and what is in hand then has until `ends_in`.

        Quietly: readiness stays as it is, because others serve on. May be called by a signal's
        handler, and again with other seconds.
        """
        now = time.monotonic()
        self._stops_at, self._ends_at = now + stops_in, now + ends_in
        self.draining, self.unready = True, self.unready or not quietly
        self.pull_trigger()

    def _drained(self, now: float) -> bool:
        if not self.draining or now < self._stops_at:
            return False
        if self._listens:
            self._listens = False
            while self._took_one():
                pass
            wasyncore.dispatcher.close(self)
        if now >= self._ends_at:
            return True
        left = [channel for channel in self.active_channels.values() if not channel.lingers]
        for channel in left:
            if channel.idle and now - channel.began > LOOP_SECONDS:
                channel.give_up(None)
        self.maintenance(time.time())
        return not left

    def _took_one(self) -> bool:
        """Of the connections that the system accepted for us: closed unread, they would break."""
        before = len(self.active_channels)
        self.handle_accept()
        return len(self.active_channels) > before

    def make_room(self, client: str) -> None:
        """End the connection that is missed least: of this address if it has too many that wait
        for something to arrive, or of all."""
        waiting = [c for c in self.active_channels.values() if c.unfinished and not c.will_close]
        theirs = [c for c in waiting if c.client == client and not c.refused] if client else []
        crowded = len(self.active_channels) > self.limits.connections
        candidates = waiting if crowded else theirs
        if candidates and (crowded or len(theirs) > self.limits.per_address):
            now = time.monotonic()
            max(candidates, key=lambda channel: channel.dispensable(now)).give_up(TOO_SLOW)

    def buffered(self) -> int:
        """Bytes of bodies in memory, of all connections."""
        held = 0
        for channel in list(self.active_channels.values()):
            arriving = [channel.request] if channel.request is not None else []
            held += sum(request.held for request in [*channel.requests, *arriving])
        return held

    def maintenance(self, now: float) -> None:
        moment = time.monotonic()
        for channel in list(self.active_channels.values()):
            channel.see_to(moment, self.limits)
