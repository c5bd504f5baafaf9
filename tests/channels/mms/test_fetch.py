"""Fetching: a real HTTP server on loopback, and names that lead astray."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gateway.channels.mms.fetch import Fetcher, FetchError

BODY = b"a picture"


class Vendor(BaseHTTPRequestHandler):
    """Answers by path; remembers who logged in."""

    logins: list[str | None] = []  # noqa: RUF012 - one server a test
    leads = ""

    def do_GET(self) -> None:
        self.logins.append(self.headers.get("Authorization"))
        path, _, argument = self.path.partition("?to=")
        if path == "/away":
            self.send_response(302)
            self.send_header("Location", self.leads)
        elif path == "/redirect":
            self.send_response(302)
            self.send_header("Location", argument)
        elif path.startswith("/status/"):
            self.send_response(int(path.rpartition("/")[2]))
        else:
            self.send_response(200)
        body = {"/photo": BODY, "/large": bytes(5000)}.get(path, b"")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def vendor() -> Iterator[str]:
    Vendor.logins = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://media.example:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _resolver(*addresses: str) -> Any:
    def resolve(_host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    return resolve


def _fetcher(**changes: Any) -> Fetcher:
    known: dict[str, Any] = {
        "hosts": ("media.example", ".cdn.example"), "max_bytes": 1000, "public_only": False,
        "schemes": ("http",), "resolve": _resolver("127.0.0.1"),
    }  # fmt: skip
    return Fetcher(**(known | changes))


def test_a_photo_is_fetched(vendor: str) -> None:
    assert _fetcher().fetch(f"{vendor}/photo") == BODY


def test_a_redirect_is_followed_and_the_login_stays_with_its_host(vendor: str) -> None:
    port = vendor.rpartition(":")[2]
    elsewhere = f"http://eu.cdn.example:{port}/photo"
    fetcher = _fetcher(login=("user", "secret"))
    assert fetcher.fetch(f"{vendor}/redirect?to={elsewhere}") == BODY
    assert Vendor.logins[0] is not None
    assert Vendor.logins[1] is None


@pytest.mark.parametrize(
    ("path", "code", "again"),
    [
        ("/redirect?to=/redirect", "too_many_redirects", False),
        ("/redirect?to=http://evil.example/photo", "host_not_allowed", False),
        ("/redirect?to=file:///etc/passwd", "bad_address", False),
        ("/large", "too_large", False),
        ("/status/404", "status_404", False),
        ("/status/503", "status_503", True),
    ],
)
def test_what_goes_wrong_is_named(vendor: str, path: str, code: str, again: bool) -> None:
    if path == "/redirect?to=/redirect":
        path = "/redirect?to=/redirect?to=/redirect?to=/redirect?to=/redirect?to=/photo"
    with pytest.raises(FetchError) as failed:
        _fetcher().fetch(vendor + path)
    assert (failed.value.code, failed.value.again) == (code, again)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1", "fd00::1",
     "fe80::1%eth0", "224.0.0.1", "100.64.0.1", "::ffff:127.0.0.1"],
)  # fmt: skip
def test_an_address_that_is_not_public_is_never_asked(address: str) -> None:
    fetcher = Fetcher(("media.example",), 1000, resolve=_resolver("93.184.215.14", address))
    with pytest.raises(FetchError, match="address_not_public"):
        fetcher.fetch("https://media.example/photo")


@pytest.mark.parametrize(
    "url",
    ["http://media.example/a", "ftp://media.example/a", "https://user:pw@media.example/a",
     "https:///a", "//media.example/a", "media.example", "", "https://media.example:99999/",
     "https://media.example:0/a", "https://media.example:-1/a", "https://media.example:https/a",
     "https://@media.example/a", "https://:@media.example/a", "https://[::1", "https://]/a",
     "https://[media.example]/a", f"https://{'l' * 70}.cdn.example/a", "https://..cdn.example/a",
     f"https://{'é' * 60}.cdn.example/a", "https://media.ex\u2100mple/a", "https://\ud800.cdn.example/",
     "https://%/a\x00"],
)  # fmt: skip
def test_only_plain_https_addresses_are_asked(url: str) -> None:
    fetcher = Fetcher(("media.example", ".cdn.example"), 1000, resolve=_resolver("127.0.0.1"))
    with pytest.raises(FetchError) as refused:
        fetcher.fetch(url)
    assert refused.value.code in ("bad_address", "host_not_allowed")
    assert not refused.value.again


@pytest.mark.parametrize(
    "to",
    ["https://[::1", "//[::1", "http://media.example:0/", "http://media.example:99999/",
     "http://user@media.example/", f"http://{'l' * 70}.cdn.example/",
     "http://\xe9.example\x01/"],
)  # fmt: skip
def test_a_redirect_to_what_is_no_address_is_refused(vendor: str, to: str) -> None:
    Vendor.leads = to
    with pytest.raises(FetchError) as refused:
        _fetcher().fetch(f"{vendor}/away")
    assert refused.value.code in ("bad_address", "host_not_allowed")
    assert not refused.value.again


@pytest.mark.parametrize(
    "name", ["MEDIA.Example", "media\u3002example", "ｍedia.example", "media.example."]
)
def test_a_name_is_the_same_however_it_is_spelled(vendor: str, name: str) -> None:
    assert _fetcher().fetch(vendor.replace("media.example", name) + "/photo") == BODY


def test_letters_outside_ascii_in_an_address_are_asked_for(vendor: str) -> None:
    assert _fetcher().fetch(f"{vendor}/photo?to=é \ud800") == BODY


def test_a_name_that_no_server_can_be_asked_for_is_not_found() -> None:
    def resolve(host: str, *_: Any, **__: Any) -> Any:
        raise UnicodeError(host)

    with pytest.raises(FetchError, match="host_not_found"):
        _fetcher(resolve=resolve).fetch("http://media.example/a")


DRIPS = {
    "nothing": b"",
    "a header": b"HTTP/1.1 200 OK\r\nX-Long: ",
    "headers": b"HTTP/1.1 200 OK\r\n",
    "a body of a promised length": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
    "a body of no length": b"HTTP/1.1 200 OK\r\n\r\n",
    "a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n300\r\n",
    "the size of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: /a",
}


@pytest.fixture
def dripping() -> Iterator[tuple[int, list[bytes]]]:
    """A port where whoever connects gets the bytes in the list, and then one at a time."""
    begins: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                one, _ = server.accept()
                with one:
                    one.sendall(begins[0])
                    while not one.send(b"0") - 1:
                        one.settimeout(0.05)
                        with contextlib.suppress(TimeoutError):
                            while one.recv(4096):
                                pass
                            return  # they hung up

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], begins
        thread.join()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("begin", DRIPS.values(), ids=DRIPS)
def test_who_drips_is_left(dripping: tuple[int, list[bytes]], begin: bytes, scheme: str) -> None:
    port, begins = dripping
    begins.append(b"\x16\x03\x03\x3f\xff\x02" if scheme == "https" else begin)
    fetcher = _fetcher(schemes=("http", "https"), seconds=0.4)
    with pytest.raises(FetchError, match="too_slow") as left:
        fetcher.fetch(f"{scheme}://media.example:{port}/photo")
    assert left.value.again


def test_nobody_there_may_be_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://media.example:{taken.getsockname()[1]}/photo"
        with pytest.raises(FetchError) as failed:
            _fetcher().fetch(url)
    assert failed.value.again
