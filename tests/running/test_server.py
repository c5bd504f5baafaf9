"""The HTTP server with real sockets: what drips is cut, what is too much is refused in words."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace

import pytest
from flask import Flask, request

from gateway.running.lanes import (
    CALLBACKS,
    HEALTH,
    PAGES,
    PICTURES,
    STRANGERS,
    USSD,
    lane_of,
    widths,
)
from gateway.running.server import Limits, Server, forwarded, neighbourhood
from rig.house import wait_until

LIMITS = Limits(body_bytes=100_000)
HALF_BODY = b"POST /api/photos HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\nhalf"
HALF_HEADER = b"GET /health/live HTTP/1.1\r\nHos"
USSD_HOP = (
    b"POST /africastalking/k/ussd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    b"Content-Length: 6\r\n\r\ntext=1"
)
LIVE = b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Doors:
    """An application that answers with what it got; `/stuck/...` waits to be let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.stuck = threading.Semaphore(0)
        self.app = Flask(__name__)
        self.app.add_url_rule("/<path:path>", view_func=self._answer, methods=["GET", "POST"])

    def _answer(self, path: str) -> dict[str, object]:
        length = len(request.get_data())
        if "stuck" in request.headers:
            self.stuck.release()
            self.go.wait(60)
        return {
            "path": path,
            "bytes": length,
            "from": request.remote_addr,
            "scheme": request.scheme,
        }


@pytest.fixture
def doors() -> Iterator[Doors]:
    doors = Doors()
    yield doors
    doors.go.set()


Serve = Callable[..., tuple[str, int]]


@pytest.fixture
def serve(doors: Doors) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(limits: Limits = LIMITS, **more: int) -> tuple[str, int]:
            return stack.enter_context(served(doors, limits, **more))

        yield start
        doors.go.set()


@contextmanager
def served(doors: Doors, limits: Limits, **more: int) -> Iterator[tuple[str, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(doors.app, listener, limits=limits, **{"threads": 2, **more})
    address: tuple[str, int] = listener.getsockname()
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield address
    finally:
        doors.go.set()
        server.drain(0, 0)
        thread.join(30)
        assert not thread.is_alive()
        for channel in list(server.active_channels.values()):
            channel.close()
        server.trigger.close()
        server.task_dispatcher.shutdown()


def ask(address: tuple[str, int], data: bytes) -> bytes:
    """All that comes back until the other side closes."""
    with socket.create_connection(address, 30) as client:
        client.sendall(data)
        return everything(client)


def everything(client: socket.socket) -> bytes:
    came = b""
    while piece := client.recv(65536):
        came += piece
    return came


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def body(answer: bytes) -> dict[str, object]:
    return dict(json.loads(answer.partition(b"\r\n\r\n")[2]))


@pytest.mark.parametrize("dripped", [HALF_HEADER, HALF_BODY, b""])
def test_drips_hold_no_thread(serve: Serve, dripped: bytes) -> None:
    address = serve()
    with ExitStack() as stack:
        for _ in range(60):
            client = stack.enter_context(socket.create_connection(address, 30))
            client.sendall(dripped)
        assert status(ask(address, LIVE)) == 200
        assert status(ask(address, USSD_HOP)) == 200


def test_a_header_has_its_time(serve: Serve) -> None:
    address = serve(replace(LIMITS, header_seconds=0.2))
    assert ask(address, HALF_HEADER) == b""


def test_who_says_nothing_has_the_same_time(serve: Serve) -> None:
    address = serve(replace(LIMITS, header_seconds=0.2))
    assert ask(address, b"") == b""


@pytest.mark.parametrize("kind", ["Content-Length: 5000", "Transfer-Encoding: chunked"])
def test_a_body_that_drips_is_cut_however_busy_the_line_is(serve: Serve, kind: str) -> None:
    address = serve(replace(LIMITS, body_seconds=0.3, slowest=1e9))
    with socket.create_connection(address, 30) as client:
        client.sendall(f"POST /api/photos HTTP/1.1\r\nHost: a\r\n{kind}\r\n\r\n".encode())
        client.setblocking(False)
        answer = b""

        def drip() -> bytes:
            nonlocal answer
            with suppress(OSError):
                client.send(b"1\r\nx\r\n")
            with suppress(BlockingIOError):
                answer += client.recv(65536)
            return answer

        wait_until(lambda: b"too_slow" in drip(), "the refusal", 30)
    assert status(answer) == 408


@pytest.mark.parametrize(
    ("size", "seconds"), [(0, 30), (170_000, 113), (10_000_000, 600), (2_048, 31)]
)
def test_a_larger_body_has_longer(size: int, seconds: int) -> None:
    assert round(LIMITS.body_time(size)) == seconds


def chunked(size: int, piece: int) -> bytes:
    chunk = f"{piece:x}\r\n".encode() + b"x" * piece + b"\r\n"
    return chunk * (size // piece) + b"0\r\n\r\n"


@pytest.mark.parametrize("path", ["/api/photos", "/africastalking/k/sms", "/officer/sign-in"])
@pytest.mark.parametrize("how", ["promised", "chunked", "chunks of one byte"])
def test_the_refusal_of_what_is_too_large_arrives(serve: Serve, path: str, how: str) -> None:
    """The client sends all of it before it reads."""
    address = serve()
    if how == "promised":
        head, data = "Content-Length: 4000000", b"x" * 4_000_000
    else:
        data = chunked(4_000_000, 4000) if how == "chunked" else chunked(400_000, 1)
        head = "Transfer-Encoding: chunked"
    answer = ask(address, f"POST {path} HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n".encode() + data)
    assert status(answer) == 413
    if path.startswith("/api/"):
        assert body(answer)["code"] == "too_large"
    else:
        assert b"too large" in answer


MALFORMED = {
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "length and chunks": b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n",
    "a header of two lines": b"GET / HTTP/1.1\r\nHost: a\r\n b\r\nX : y\r\n\r\n",
    "a line end in a header": b"GET / HTTP/1.1\r\nHost: a\rSet-Cookie: x\r\n\r\n",
    "too long a header": b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n",
    "a chunk of no size": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_request_is_refused_and_kept_by_nobody(serve: Serve, name: str) -> None:
    answer = ask(serve(), MALFORMED[name])
    head = answer.partition(b"\r\n\r\n")[0]
    assert 400 <= status(answer) < 600, answer
    assert b"Cache-Control: no-store" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"Set-Cookie" not in head


def test_who_asks_before_sending_is_told_at_once(serve: Serve) -> None:
    head = b"POST /api/photos HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n"
    with socket.create_connection(serve(), 30) as client:
        client.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert status(client.recv(65536)) == 413


def test_chunks_up_to_the_limit_are_a_body(serve: Serve) -> None:
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert body(ask(serve(), head + chunked(90_000, 1000)))["bytes"] == 90_000


@pytest.mark.parametrize("beside", [b"1;a=" + b"b" * 50_000, b"0\r\n" + b"a: b\r\n" * 9_000])
def test_what_stands_beside_chunks_is_bounded(serve: Serve, beside: bytes) -> None:
    head = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert status(ask(serve(), head + beside)) == 400


def test_a_header_without_end_is_refused(serve: Serve) -> None:
    assert status(ask(serve(), b"GET / HTTP/1.1\r\nA: " + b"b" * 100_000)) == 431


def test_bodies_have_a_bound_in_sum_and_small_ones_find_room(serve: Serve) -> None:
    address = serve(Limits(body_bytes=1_000_000, buffered_bytes=500_000))
    promise = b"POST /api/photos HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n"
    with ExitStack() as stack:
        first = stack.enter_context(socket.create_connection(address, 30))
        first.sendall(promise + b"x" * 450_000)
        second = stack.enter_context(socket.create_connection(address, 30))
        second.sendall(promise + b"x" * 450_000)
        both = {first, second}
        wait_until(lambda: any(map(_ended, both)), "one of them to be refused", 30)
        (refused,) = filter(_ended, both)
        answer = refused.recv(65536)
        assert status(answer) == 503
        assert b"Retry-After" in answer
        assert status(ask(address, USSD_HOP)) == 200


def _ended(client: socket.socket) -> bool:
    """Whether the server answered or closed it."""
    return bool(select.select([client], [], [], 0)[0])


def test_one_address_has_a_bound_and_its_newest_is_served(serve: Serve) -> None:
    address = serve(replace(LIMITS, per_address=5))
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(address, 30)) for _ in range(20)]
        for client in clients:
            client.sendall(HALF_HEADER)
        assert status(ask(address, LIVE)) == 200
        wait_until(lambda: sum(map(_ended, clients)) >= 15, "the oldest to be closed", 30)


def test_all_together_have_a_bound_and_the_newest_is_served(serve: Serve) -> None:
    address = serve(replace(LIMITS, connections=10), proxies=1)
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(socket.create_connection(address, 30)).sendall(HALF_HEADER)
        assert status(ask(address, LIVE)) == 200


def test_behind_a_proxy_an_address_is_the_one_in_front_of_it(serve: Serve) -> None:
    address = serve(replace(LIMITS, per_address=3), proxies=1)

    def half(of: str) -> bytes:
        told = f"Host: a\r\nConnection: close\r\nX-Forwarded-For: {of}"
        return HALF_BODY.replace(b"Host: a", told.encode())

    with ExitStack() as stack:

        def opened(of: str) -> socket.socket:
            client = stack.enter_context(socket.create_connection(address, 30))
            client.sendall(half(of))
            return client

        honest = opened("198.51.100.7")
        many = [opened("6.6.6.6, 203.0.113.9") for _ in range(9)]
        assert status(ask(address, LIVE)) == 200
        wait_until(lambda: sum(map(_ended, many)) >= 6, "the slowest to be refused", 30)
        assert not _ended(honest)
        honest.sendall(b"x" * 4996)
        assert body(everything(honest))["from"] == "198.51.100.7"


@pytest.mark.parametrize(
    ("proxies", "given", "seen"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "203.0.113.9:4711", "203.0.113.9"),
        (1, "[2001:db8::7]:4711", "2001:db8::7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, '"[2001:db8::7]"', "2001:db8::7"),
        (1, "unknown", ""),
        (1, "", ""),
        (1, ",", ""),
    ],
)
def test_the_address_that_our_own_proxy_saw(proxies: int, given: str, seen: str) -> None:
    assert forwarded({"X_FORWARDED_FOR": given}, proxies)[0] == seen


@pytest.mark.parametrize(
    ("given", "seen"), [("https", "https"), ("http, HTTPS", "https"), ("gopher", ""), ("", "")]
)
def test_the_scheme_that_our_own_proxy_saw(given: str, seen: str) -> None:
    assert forwarded({"X_FORWARDED_PROTO": given}, 1)[1] == seen


def test_nobody_is_believed_without_a_proxy(serve: Serve) -> None:
    told = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
    answer = body(ask(serve(), b"GET /x HTTP/1.1\r\nHost: a\r\n" + told))
    assert (answer["from"], answer["scheme"]) == ("127.0.0.1", "http")
    answer = body(ask(serve(proxies=1), b"GET /x HTTP/1.1\r\nHost: a\r\n" + told))
    assert (answer["from"], answer["scheme"]) == ("203.0.113.9", "https")


def test_one_customer_of_the_new_internet_is_one_address() -> None:
    assert neighbourhood("2001:db8:1:2::7") == neighbourhood("2001:db8:1:2:ffff::9")
    assert neighbourhood("2001:db8:1:2::7") != neighbourhood("2001:db8:1:3::7")
    assert neighbourhood("192.0.2.7") != neighbourhood("192.0.2.8")


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        ("/africastalking/key/ussd", USSD),
        ("//africastalking/key/ussd", USSD),
        ("/africastalking/key/sms", CALLBACKS),
        ("/africastalking", CALLBACKS),
        ("/africastalking-not/key/ussd", PAGES),
        ("/health/live", HEALTH),
        ("/api/photos", PICTURES),
        ("/api/predict", STRANGERS),
        ("/http-gateway/key/sms", CALLBACKS),
        ("/http-gateway/key/report", CALLBACKS),
        ("/mms/key", PICTURES),
        ("/mm7/key", PICTURES),
        ("/api/cases/ABC", PAGES),
        ("/officer", PAGES),
        ("/africastalking/a\nb/ussd", USSD),
    ],
)
def test_each_door_has_its_lane(path: str, lane: str) -> None:
    assert lane_of(path) == lane


def test_every_lane_has_a_thread() -> None:
    assert min(widths(1).values()) == 1


@pytest.mark.parametrize("path", ["/api/predict", "/operator", "/africastalking/k/sms", "/mm7/k"])
def test_no_door_waits_for_the_threads_of_another(serve: Serve, doors: Doors, path: str) -> None:
    address = serve()
    with ExitStack() as stack:
        for _ in range(widths(2)[lane_of(path)]):
            client = stack.enter_context(socket.create_connection(address, 30))
            client.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nStuck: 1\r\n\r\n".encode())
            assert doors.stuck.acquire(timeout=30)
        for other in (LIVE, USSD_HOP):
            assert status(ask(address, other)) == 200
        refused = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n".encode()
        assert status(ask(address, refused)) == 413


def test_draining_finishes_what_is_in_hand(doors: Doors) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    server = Server(doors.app, listener, limits=LIMITS, threads=2)
    thread = threading.Thread(target=server.run)
    thread.start()
    with closing(socket.create_connection(address, 30)) as working:
        working.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\nStuck: 1\r\n\r\n")
        assert doors.stuck.acquire(timeout=30)
        half = socket.create_connection(address, 30)
        half.sendall(HALF_BODY)
        assert status(ask(address, LIVE)) == 200  # so the half was read too
        server.drain(0, 30)

        def refused() -> bool:
            try:
                socket.create_connection(address, 30).close()
            except ConnectionRefusedError:
                return True
            return False

        wait_until(refused, "the socket to be closed", 30)
        half.sendall(b"x" * 4996)
        finished = everything(half)
        assert body(finished)["bytes"] == 5000
        assert b"Connection: close" in finished
        half.close()
        assert thread.is_alive()
        doors.go.set()
        assert status(everything(working)) == 200
    thread.join(30)
    assert not thread.is_alive()
    server.trigger.close()
    server.task_dispatcher.shutdown()
