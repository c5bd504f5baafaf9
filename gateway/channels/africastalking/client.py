"""SMS out: one message, one call, one named outcome."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

from gateway.channels.africastalking.sdk import AnswerLost, ApiError, Sms
from gateway.channels.africastalking.tables import HTTP, NAMES, RECIPIENT
from gateway.channels.unsent import nothing_left
from gateway.outbox.network import Money, Outcome, SendResult
from gateway.settings import Settings

E164 = re.compile(r"\+[1-9][0-9]{7,14}")
COST = re.compile(r"(?:([A-Z]{3}) )?([0-9]{1,8}(?:\.[0-9]{1,6})?)")
QUIET_ZONE = timezone(timedelta(hours=1), "Lagos")
QUIET_ENDS_HOUR = 8
"""Nigeria forbids promotional senders from 20 to 8 o'clock local time."""
LONGEST_WAIT = 3600.0


class Client:
    """The sending half of the channel. Safe to use from several threads."""

    def __init__(
        self,
        username: str,
        api_key: str,
        *,
        base_url: str = "",
        sender_id: str = "",
        timeout: float = 15.0,
    ) -> None:
        """Raises: SettingsError when the base URL may not get the API key."""
        self._sms = Sms(username, api_key, base_url, timeout)
        self._username = username
        self._sender_id = sender_id or None

    @classmethod
    def from_settings(cls, settings: Settings) -> Client:
        """Towards the simulator when it is on and no other base URL is set.

        Raises: SettingsError.
        """
        base_url = settings.at_base_url or (settings.simulator_url if settings.simulator_on else "")
        return cls(
            settings.at_username,
            settings.at_api_key.get_secret_value() or "simulator",
            base_url=base_url,
            sender_id=settings.sender_id or settings.short_code,
            timeout=settings.at_timeout,
        )

    def send(self, to: str, text: str) -> SendResult:
        """Hand one message to the network, once. Never raises for trouble on the way.

        `to` is E.164. After `Outcome.UNKNOWN` nobody knows whether the message went: the API has
        no idempotency key.
        """
        if not E164.fullmatch(to):
            return SendResult(Outcome.REJECTED, "invalid_number")
        if not text:
            return SendResult(Outcome.REJECTED, "empty_text")
        try:
            answer = self._sms.send(text, [to], sender_id=self._sender_id)
        except ApiError as error:
            return _refused(error, to)
        except AnswerLost:
            return SendResult(Outcome.UNKNOWN, "answer_lost")
        except (requests.RequestException, UnicodeError) as error:
            return _broken(error)
        return _answered(answer, to)

    def balance(self) -> tuple[Money | None, str]:
        """What the account holds, or None and why it is not told (`wrong_key`, ...)."""
        try:
            answer = self._sms._make_request(
                self._sms._make_url("/user"),
                "GET",
                self._sms._headers,
                None,
                {"username": self._username},
            )
        except ApiError as error:
            return None, HTTP.get(error.status, (None, f"http_{error.status}"))[1]
        except (requests.RequestException, UnicodeError) as error:
            return None, "not_sent" if nothing_left(error) else "no_answer"
        except AnswerLost:
            return None, "no_answer"
        data = _member(answer, "UserData") or _member(answer, "userData")
        held = money(_member(data, "balance"))
        return held, "" if held else "unreadable_answer"


def money(value: object) -> Money | None:
    """`KES 0.8000`, or the bare `0` of a refusal."""
    match = COST.fullmatch(str(value).strip())
    try:
        return Money(Decimal(match[2]), match[1] or "") if match else None
    except InvalidOperation:  # pragma: no cover - the pattern allows plain decimals only
        return None


def _answered(answer: Any, to: str) -> SendResult:
    """A 2xx answer. Being accepted is told for each recipient, not by the status."""
    recipients = _member(_member(answer, "SMSMessageData"), "Recipients")
    if not isinstance(recipients, list):
        return SendResult(Outcome.UNKNOWN, "unreadable_answer")
    if not recipients:
        name = _word(_member(_member(answer, "SMSMessageData"), "Message"))
        outcome, reason = RECIPIENT.get(NAMES.get(name, 0), (Outcome.REJECTED, "refused"))
        accepted = outcome is Outcome.SENT  # an accepted message has a recipient
        return SendResult(Outcome.UNKNOWN, "no_recipient") if accepted else _result(outcome, reason)
    ours = [r for r in recipients if _digits(_member(r, "number")) == _digits(to)]
    if len(ours) != 1:
        return SendResult(Outcome.UNKNOWN, "other_recipients")
    return _recipient(ours[0])


def _recipient(recipient: Any) -> SendResult:
    code = _code(_member(recipient, "statusCode"))
    if code is None:
        code = NAMES.get(_word(_member(recipient, "status")), 0)
    outcome, reason = RECIPIENT.get(code, (Outcome.UNKNOWN, f"status_{code}"))
    if outcome is not Outcome.SENT:
        return _result(outcome, reason)
    provider_id = str(_member(recipient, "messageId") or "")
    return SendResult(
        Outcome.SENT,
        provider_id=provider_id[:80] if provider_id not in ("", "None") else None,
        cost=money(_member(recipient, "cost")),
    )


def _refused(error: ApiError, to: str) -> SendResult:
    """An answer outside 2xx."""
    if error.status == 409:
        try:
            result = _answered(json.loads(error.body), to)
        except ValueError:
            return SendResult(Outcome.REJECTED, "http_409")
        accepted = result.outcome in (Outcome.SENT, Outcome.UNKNOWN)
        return SendResult(Outcome.REJECTED, "http_409") if accepted else result
    if error.status in HTTP:
        outcome, reason = HTTP[error.status]
        wait = retry_after(error.headers) if outcome is Outcome.THROTTLED else None
        return SendResult(outcome, reason, retry_after=wait)
    if error.status >= 500:
        return SendResult(Outcome.UNKNOWN, f"http_{error.status}")
    if error.status < 400:
        return SendResult(Outcome.CHANNEL_DOWN, "redirected")
    return SendResult(Outcome.REJECTED, f"http_{error.status}")


# Reasons of OpenSSL that can only come before any byte of the request has left.
HANDSHAKE = (
    "WRONG_VERSION_NUMBER",
    "UNSUPPORTED_PROTOCOL",
    "NO_PROTOCOLS_AVAILABLE",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "TLSV1_UNRECOGNIZED_NAME",
)


def _broken(error: requests.RequestException | UnicodeError) -> SendResult:
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


def until_quiet_ends(now: datetime) -> float:
    """Seconds from `now` until the forbidden hours end."""
    local = now.astimezone(QUIET_ZONE)
    end = local.replace(hour=QUIET_ENDS_HOUR, minute=0, second=0, microsecond=0)
    return ((end if end > local else end + timedelta(days=1)) - local).total_seconds()


def _result(outcome: Outcome, reason: str) -> SendResult:
    wait = until_quiet_ends(datetime.now(UTC)) if outcome is Outcome.DEFERRED else None
    return SendResult(outcome, reason, retry_after=wait)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _word(value: object) -> str:
    return re.sub(r"[^a-z]", "", str(value or "").lower())


def _digits(value: object) -> str:
    return re.sub(r"[^0-9]", "", str(value or ""))


def _code(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None
