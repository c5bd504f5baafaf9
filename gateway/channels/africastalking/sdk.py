"""The official SDK, made fit: our address, no redirects, a deadline, no lost status code.

Two of the SDK's private methods are overridden, so its version is pinned exactly and
`tests/channels/africastalking/test_sdk_contract.py` fails when they change.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from africastalking.SMS import SMSService
from urllib3.exceptions import HTTPError

from gateway.channels.unsent import CheckedAdapter
from gateway.settings import SettingsError

CONNECT_SECONDS = 3.05
IDLE_SECONDS = 15.0
"""A connection idle for longer is not used again: the other side may just be closing it, and a
request that meets the closing ends as `unknown`."""
BODY_BYTES = 256 * 1024
CHUNK_BYTES = 8 * 1024


class ApiError(Exception):
    """The API answered with a status outside 2xx. The text names the status alone: headers and
    body may repeat what was sent."""

    def __init__(self, status: int, headers: Mapping[str, str], body: str) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.headers = headers
        self.body = body


class AnswerLost(Exception):
    """The request left, but its answer did not come whole, in time and within bounds."""


class Sms(SMSService):  # type: ignore[misc]  # the SDK has no types
    """The SDK's SMS service towards `base_url`, or towards the provider's own when that is empty.

    Safe to use from several threads; each has its own connection.
    """

    def __init__(self, username: str, api_key: str, base_url: str, timeout: float) -> None:
        """`timeout` is the total for one call in seconds.

        Raises:
            SettingsError: `base_url` is no address that may get the API key.
        """
        self._own_base = checked_base(base_url)
        self._timeout = timeout
        self._local = threading.local()
        super().__init__(username, api_key)

    def _init_service(self) -> None:
        super()._init_service()
        if self._own_base:
            self._baseUrl = self._contentUrl = f"{self._own_base}/version1"

    def _make_request(
        self,
        url: str,
        method: str,
        headers: dict[str, str],
        data: dict[str, Any] | None,
        params: dict[str, Any] | None,
        callback: None = None,
        timeout: object = None,
    ) -> Any:
        """Returns the parsed JSON, or the text of a 2xx answer that is not JSON.

        Raises: ApiError, AnswerLost, requests.RequestException.
        """
        if data is not None and "message" in data:
            # Left out it means 1, and the SDK cannot say 0: say always what we want.
            data = {"enqueue": 1} | data
        deadline = time.monotonic() + self._timeout
        with self._session().request(
            method,
            url,
            headers=headers,
            data=data,
            params=params,
            timeout=(min(CONNECT_SECONDS, self._timeout), self._timeout),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = _read(response, deadline)
        if not 200 <= response.status_code < 300:
            raise ApiError(response.status_code, response.headers, body)
        try:
            return json.loads(body)
        except ValueError:
            return body

    def _session(self) -> requests.Session:
        now = time.monotonic()
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None and now - self._local.used > IDLE_SECONDS:
            session.close()
            session = None
        if session is None:
            session = requests.Session()
            adapter = CheckedAdapter(max_retries=0)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            # A proxy from the environment must not swallow calls to this machine.
            session.trust_env = not is_loopback(self._baseUrl)
        self._local.session, self._local.used = session, now
        return session


def checked_base(url: str) -> str:
    """`url` without a trailing `/version1`, or empty when it is empty.

    Raises:
        SettingsError: not https, unless the host is this machine.
    """
    base = url.strip().rstrip("/").removesuffix("/version1").rstrip("/")
    if not base:
        return ""
    parts = urlsplit(base)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(base))
    if not parts.hostname or not secure or parts.query or parts.username:
        raise SettingsError(
            "setting LEAFLINE_AT_BASE_URL: give https://host (http only for this machine itself)"
        )
    return base


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(response: requests.Response, deadline: float) -> str:
    """The body, whatever its declared type.

    `read1` returns what is there: a read timeout alone would let an answer drip on for ever.
    """
    body = bytearray()
    try:
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            body += chunk
            if len(body) > BODY_BYTES or time.monotonic() > deadline:
                raise AnswerLost("too long")
        response.raw.drain_conn()  # all is read: hands the connection back for the next call
    except HTTPError as error:
        raise AnswerLost("cut off") from error
    return body.decode("utf-8", "replace")
