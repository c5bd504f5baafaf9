"""One request to a provider: no redirects, a deadline, and what is known when no answer comes."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from gateway.channels.unsent import CheckedAdapter, nothing_left
from gateway.outbox.network import Outcome, SendResult

E164 = re.compile(r"\+[1-9][0-9]{7,14}")
CONNECT_SECONDS = 3.05
IDLE_SECONDS = 15.0
"""A connection idle for longer is not used again: the other side may just be closing it, and a
request that meets the closing ends as `unknown`."""
BODY_BYTES = 256 * 1024
CHUNK_BYTES = 8 * 1024
LONGEST_WAIT = 3600.0


class AnswerLost(Exception):
    """The request left, but its answer did not come whole, in time and within bounds."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str


class Caller:
    """Makes requests of at most `timeout` seconds each. Safe to use from several threads; each has
    its own connection."""

    def __init__(self, url: str, timeout: float) -> None:
        """`url`: where the requests go, as far as it is known beforehand."""
        self._url, self._timeout = url, timeout
        self._local = threading.local()

    @property
    def longest_request(self) -> float:
        """Reading may begin just before the deadline, and then wait as long again."""
        return 2 * self._timeout

    def request(self, method: str, url: str, **more: Any) -> Answer:
        """Raises: AnswerLost, requests.RequestException, whose text may hold all of the request."""
        deadline = time.monotonic() + self._timeout
        with self._session().request(
            method,
            url,
            timeout=(min(CONNECT_SECONDS, self._timeout), self._timeout),
            allow_redirects=False,
            stream=True,
            **more,
        ) as response:
            body = _read(response, deadline)
        return Answer(response.status_code, response.headers, body)

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
            session.trust_env = not is_loopback(self._url)
        self._local.session, self._local.used = session, now
        return session


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def unsendable(to: str, text: str) -> SendResult | None:
    """What needs no request to be refused."""
    if not E164.fullmatch(to):
        return SendResult(Outcome.REJECTED, "invalid_number")
    if not text:
        return SendResult(Outcome.REJECTED, "empty_text")
    return None


# Reasons of OpenSSL that can only come before any byte of the request has left.
HANDSHAKE = (
    "WRONG_VERSION_NUMBER",
    "UNSUPPORTED_PROTOCOL",
    "NO_PROTOCOLS_AVAILABLE",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "TLSV1_UNRECOGNIZED_NAME",
)


def broken(error: requests.RequestException | UnicodeError) -> SendResult:
    """No answer. Did the request leave? Only where it surely did not may it be sent again."""
    if nothing_left(error):
        return SendResult(Outcome.CHANNEL_DOWN, "not_sent")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return SendResult(Outcome.RETRYABLE, "connect_timeout")
    if isinstance(error, requests.exceptions.Timeout):
        return SendResult(Outcome.UNKNOWN, "read_timeout")
    if isinstance(error, requests.exceptions.ProxyError):
        return SendResult(Outcome.RETRYABLE, "proxy")
    cause = error.args[0] if error.args else None
    cause = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(cause, NewConnectionError):  # refused, unreachable, or no such name
        return SendResult(Outcome.RETRYABLE, "no_connection")
    if isinstance(error, requests.exceptions.SSLError):
        inner = cause.args[0] if isinstance(cause, Exception) and cause.args else None
        before = isinstance(inner, ssl.SSLCertVerificationError) or (
            isinstance(inner, ssl.SSLError) and inner.reason in HANDSHAKE
        )
        return SendResult(Outcome.RETRYABLE if before else Outcome.UNKNOWN, "tls")
    return SendResult(Outcome.UNKNOWN, "connection_lost")


def by_status(answer: Answer, table: Mapping[int, tuple[Outcome, str]]) -> SendResult:
    """What an answer outside 2xx says where nothing else does: by the provider's table, else 3xx
    channel down, 4xx rejected, 5xx unknown."""
    status = answer.status
    if status in table:
        outcome, reason = table[status]
        wait = retry_after(answer.headers) if outcome is Outcome.THROTTLED else None
        return SendResult(outcome, reason, retry_after=wait)
    if status >= 500:
        return SendResult(Outcome.UNKNOWN, f"http_{status}")
    if status < 400:
        return SendResult(Outcome.CHANNEL_DOWN, "redirected")
    return SendResult(Outcome.REJECTED, f"http_{status}")


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds of a `Retry-After` header: a number or a date (RFC 9110 section 10.2.3)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:6]), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max((date - (now or datetime.now(UTC))).total_seconds(), 0.0), LONGEST_WAIT)


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
