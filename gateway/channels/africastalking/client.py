"""SMS out: one message, one call, one named outcome."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

import requests

from gateway.channels.africastalking.sdk import ApiError, Sms, parsed
from gateway.channels.africastalking.tables import HTTP, MOST_ATTEMPTS, NAMES, RECIPIENT
from gateway.channels.calling import AnswerLost, broken, by_status, unsendable
from gateway.outbox.network import Money, Outcome, SendResult
from gateway.settings import Settings

COST = re.compile(r"(?:([A-Z]{3}) )?([0-9]{1,8}(?:\.[0-9]{1,6})?)")
QUIET_ZONE = timezone(timedelta(hours=1), "Lagos")
QUIET_ENDS_HOUR = 8
"""Nigeria forbids promotional senders from 20 to 8 o'clock local time."""


class Client:
    """The sending half of the provider. Safe to use from several threads."""

    name = "africastalking"

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
        if refused := unsendable(to, text):
            return refused
        try:
            answer = self._sms.send(text, [to], sender_id=self._sender_id)
        except ApiError as error:
            return _refused(error, to)
        except AnswerLost:
            return SendResult(Outcome.UNKNOWN, "answer_lost")
        except (requests.RequestException, UnicodeError) as error:
            return broken(error)
        return _answered(answer, to)

    @property
    def longest_request(self) -> float:
        return self._sms.caller.longest_request

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
            return None, by_status(error.answer, HTTP).reason
        except (AnswerLost, requests.RequestException):
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
    if error.answer.status == 409:
        try:
            result = _answered(parsed(error.answer.body), to)
        except ValueError:
            return SendResult(Outcome.REJECTED, "http_409")
        accepted = result.outcome in (Outcome.SENT, Outcome.UNKNOWN)
        return SendResult(Outcome.REJECTED, "http_409") if accepted else result
    return by_status(error.answer, HTTP)


def until_quiet_ends(now: datetime) -> float:
    """Seconds from `now` until the forbidden hours end."""
    local = now.astimezone(QUIET_ZONE)
    end = local.replace(hour=QUIET_ENDS_HOUR, minute=0, second=0, microsecond=0)
    return ((end if end > local else end + timedelta(days=1)) - local).total_seconds()


def _result(outcome: Outcome, reason: str) -> SendResult:
    wait = until_quiet_ends(datetime.now(UTC)) if outcome is Outcome.DEFERRED else None
    return SendResult(outcome, reason, retry_after=wait, most_attempts=MOST_ATTEMPTS.get(reason))


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _word(value: object) -> str:
    return re.sub(r"[^a-z]", "", str(value or "").lower())


def _digits(value: object) -> str:
    return re.sub(r"[^0-9]", "", str(value or ""))


def _code(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None
