"""Fetching media from an address that came from outside, without being led astray.

Only https to hosts of an allow-list, and only to public addresses: names are resolved here, all
their addresses are checked, and the connection goes to the address that was checked, so that a
name cannot change its mind in between. The same for every redirect.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

MAX_REDIRECTS = 3
CHUNK = 64 * 1024
FINAL = (401, 403, 404, 410)


class FetchError(Exception):
    """The media could not be fetched. `again` says whether another try may help."""

    def __init__(self, code: str, *, again: bool) -> None:
        super().__init__(code)
        self.code, self.again = code, again


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
        first_host = urlsplit(url).hostname
        for _ in range(MAX_REDIRECTS + 1):
            with_login = urlsplit(url).hostname == first_host
            answer = self._get(url, deadline, with_login)
            if isinstance(answer, bytes):
                return answer
            url = urljoin(url, answer)
        raise FetchError("too_many_redirects", again=False)

    def _get(self, url: str, deadline: float, with_login: bool) -> bytes | str:
        """The body, or the address of a redirect."""
        host, port, target = self._checked(url)
        address = self._public_address(host, port)
        headers = {"Host": host}
        if self.login and with_login:
            headers |= urllib3.make_headers(basic_auth=":".join(self.login))
        try:
            with self._pool(url, address, host, port) as pool:
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
                    return self._answer(response, deadline)
        except (HTTPError, OSError) as error:
            raise FetchError(type(error).__name__, again=True) from None

    def _answer(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes | str:
        if location := response.get_redirect_location():
            return str(location)
        if response.status != 200:
            raise FetchError(f"status_{response.status}", again=response.status not in FINAL)
        return self._read(response, deadline)

    def _checked(self, url: str) -> tuple[str, int, str]:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        if parts.scheme not in self.schemes or parts.username or parts.password or not host:
            raise FetchError("bad_address", again=False)
        if not self._allowed(host):
            raise FetchError("host_not_allowed", again=False)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise FetchError("bad_address", again=False) from None
        target = parts.path or "/"
        return host, port, f"{target}?{parts.query}" if parts.query else target

    def _allowed(self, host: str) -> bool:
        return any(
            host.endswith(name) if name.startswith(".") else host == name for name in self.hosts
        )

    def _public_address(self, host: str, port: int) -> str:
        try:
            found = self.resolve(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise FetchError("host_not_found", again=True) from None
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses:
            raise FetchError("host_not_found", again=True)
        for address in addresses:
            ip = ipaddress.ip_address(address.partition("%")[0])
            if self.public_only and (not ip.is_global or ip.is_multicast):
                raise FetchError("address_not_public", again=False)
        return addresses[0]

    def _pool(self, url: str, address: str, host: str, port: int) -> urllib3.HTTPConnectionPool:
        if urlsplit(url).scheme == "https":
            return urllib3.HTTPSConnectionPool(
                address, port, server_hostname=host, assert_hostname=host
            )
        return urllib3.HTTPConnectionPool(address, port)

    def _read(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.stream(CHUNK):
            body += chunk
            if len(body) > self.max_bytes:
                raise FetchError("too_large", again=False)
            if time.monotonic() > deadline:
                raise FetchError("too_slow", again=True)
        return bytes(body)
