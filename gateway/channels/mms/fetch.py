"""Fetching media from an address that came from outside, without being led astray.

Whatever the address and whoever answers: it ends within the seconds and bytes given, with the media
or a FetchError.

Only https to hosts of an allow-list, and only to public addresses: names are resolved here, all
their addresses are checked, and the connection goes to the address that was checked, so that a
name cannot change its mind in between. The same for every redirect.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

MAX_REDIRECTS = 3
CHUNK = 64 * 1024
FINAL = (401, 403, 404, 410)
TOO_SLOW = "too_slow"


class FetchError(Exception):
    """The media could not be fetched. `again` says whether another try may help."""

    def __init__(self, code: str, *, again: bool) -> None:
        super().__init__(code)
        self.code, self.again = code, again


class Watch:
    """Ends a connection at its deadline. The timeout of a socket begins anew with every byte, so
    whoever sends one now and then is never late for it."""

    def __init__(self, seconds: float) -> None:
        self.late = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(max(0.0, seconds), self._end)
        self._timer.daemon = True

    def __enter__(self) -> Watch:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._socket is not None:
            self._socket.close()

    def over(self, connected: socket.socket) -> None:
        """Watch over `connected`, by a copy of its descriptor: TLS takes the first one away."""
        self._socket = connected.dup()
        if self.late:
            self._end()

    def _end(self) -> None:
        self.late = True
        if self._socket is not None:
            with suppress(OSError):  # the other side was sooner
                self._socket.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Fetcher:
    """`hosts`: names from which media may come; a leading dot allows all names below.

    `login`: (user, password) for Basic authentication, sent to the first host only.
    """

    hosts: Sequence[str]
    max_bytes: int
    seconds: float = 10.0
    login: tuple[str, str] | None = None
    public_only: bool = True
    schemes: Sequence[str] = ("https",)
    resolve: Callable[..., Sequence[Any]] = socket.getaddrinfo

    def fetch(self, url: str) -> bytes:
        """The bytes at `url`. Raises: FetchError."""
        deadline = time.monotonic() + self.seconds
        first = _split(url)
        here = first
        for _ in range(MAX_REDIRECTS + 1):
            with_login = here.hostname == first.hostname
            answer = self._get(here, deadline, with_login)
            if isinstance(answer, bytes):
                return answer
            here = _split(answer, here)
        raise FetchError("too_many_redirects", again=False)

    def _get(self, url: SplitResult, deadline: float, with_login: bool) -> bytes | str:
        """The body, or the address of a redirect."""
        host, port, target = self._checked(url)
        address = self._public_address(host, port)
        headers = {"Host": host}
        if self.login and with_login:
            headers |= urllib3.make_headers(basic_auth=":".join(self.login))
        with Watch(deadline - time.monotonic()) as watch:
            try:
                with self._pool(url.scheme, address, host, port, watch) as pool:
                    response = pool.request(
                        "GET",
                        target,
                        headers=headers,
                        redirect=False,
                        retries=False,
                        preload_content=False,
                        timeout=max(0.1, deadline - time.monotonic()),
                    )
                    with closing(response):
                        return self._answer(response, watch)
            except (HTTPError, HTTPException, OSError) as error:
                code = TOO_SLOW if watch.late else type(error).__name__
                raise FetchError(code, again=True) from None
            except ValueError:  # letters that no request can carry
                raise FetchError("bad_address", again=False) from None

    def _answer(self, response: urllib3.BaseHTTPResponse, watch: Watch) -> bytes | str:
        if location := response.get_redirect_location():
            return str(location)
        if response.status != 200:
            raise FetchError(f"status_{response.status}", again=response.status not in FINAL)
        return self._read(response, watch)

    def _checked(self, parts: SplitResult) -> tuple[str, int, str]:
        try:
            # As it is asked for in DNS: another spelling of a name is that name.
            host = (parts.hostname or "").encode("idna").decode().rstrip(".").lower()
            port = parts.port
        except ValueError:  # a label too long, letters that no name has, a port that is none
            raise FetchError("bad_address", again=False) from None
        if parts.scheme not in self.schemes or "@" in parts.netloc or not host or port == 0:
            raise FetchError("bad_address", again=False)
        if not self._allowed(host):
            raise FetchError("host_not_allowed", again=False)
        target = parts.path or "/"
        return (
            host,
            port or (443 if parts.scheme == "https" else 80),
            f"{target}?{parts.query}" if parts.query else target,
        )

    def _allowed(self, host: str) -> bool:
        return any(
            host.endswith(name) if name.startswith(".") else host == name for name in self.hosts
        )

    def _public_address(self, host: str, port: int) -> str:
        try:
            found = self.resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError):
            raise FetchError("host_not_found", again=True) from None
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses:
            raise FetchError("host_not_found", again=True)
        for address in addresses:
            ip = ipaddress.ip_address(address.partition("%")[0])
            if self.public_only and (not ip.is_global or ip.is_multicast):
                raise FetchError("address_not_public", again=False)
        return addresses[0]

    @contextmanager
    def _pool(
        self, scheme: str, address: str, host: str, port: int, watch: Watch
    ) -> Iterator[urllib3.HTTPConnectionPool]:
        pool = (
            urllib3.HTTPSConnectionPool(address, port, server_hostname=host, assert_hostname=host)
            if scheme == "https"
            else urllib3.HTTPConnectionPool(address, port)
        )
        pool.ConnectionCls = _watched(pool.ConnectionCls, watch)
        with pool:
            yield pool

    def _read(self, response: urllib3.BaseHTTPResponse, watch: Watch) -> bytes:
        body = bytearray()
        for chunk in response.stream(CHUNK):
            body += chunk
            if len(body) > self.max_bytes:
                raise FetchError("too_large", again=False)
        if watch.late:  # a body whose length nobody named seems to end there
            raise FetchError(TOO_SLOW, again=True)
        return bytes(body)


def _split(url: str, base: SplitResult | None = None) -> SplitResult:
    """Raises: FetchError."""
    try:
        return urlsplit(urljoin(base.geturl(), url) if base else url)
    except ValueError:
        raise FetchError("bad_address", again=False) from None


def _watched(kind: type[Any], watch: Watch) -> type[Any]:
    class Watched(kind):  # type: ignore[misc]
        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()
            watch.over(connected)
            return connected

    return Watched
