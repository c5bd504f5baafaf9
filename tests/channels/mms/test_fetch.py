"""Fetching: a real HTTP server on loopback, and names that lead astray."""

from __future__ import annotations

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

    def do_GET(self) -> None:
        self.logins.append(self.headers.get("Authorization"))
        path, _, argument = self.path.partition("?to=")
        if path == "/redirect":
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
    thread = threading.Thread(target=server.serve_forever)
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
     "https:///a", "//media.example/a", "media.example", "", "https://media.example:99999/"],
)  # fmt: skip
def test_only_plain_https_addresses_are_asked(url: str) -> None:
    fetcher = Fetcher(("media.example",), 1000, resolve=_resolver("93.184.215.14"))
    with pytest.raises(FetchError, match="bad_address"):
        fetcher.fetch(url)


def test_nobody_there_may_be_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://media.example:{taken.getsockname()[1]}/photo"
        with pytest.raises(FetchError) as failed:
            _fetcher().fetch(url)
    assert failed.value.again
