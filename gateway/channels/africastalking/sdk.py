"""The official SDK, made fit: our address, no redirects, a deadline, no lost status code.

Two of the SDK's private methods are overridden, so its version is pinned exactly and
`tests/channels/africastalking/test_sdk_contract.py` fails when they change.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from africastalking.SMS import SMSService

from gateway.channels.calling import Answer, Caller, is_loopback
from gateway.settings import SettingsError

MAX_BRACKETS = 100
"""Of an answer about one message, which has four. Brackets in brackets would cost the stack."""


class ApiError(Exception):
    """The API answered with a status outside 2xx. The text names the status alone: headers and
    body may repeat what was sent."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


class Sms(SMSService):  # type: ignore[misc]  # the SDK has no types
    """The SDK's SMS service towards `base_url`, or towards the provider's own when that is empty.

    Safe to use from several threads.
    """

    def __init__(self, username: str, api_key: str, base_url: str, timeout: float) -> None:
        """`timeout` is the total for one call in seconds.

        Raises:
            SettingsError: `base_url` is no address that may get the API key.
        """
        self._own_base = checked_base(base_url)
        super().__init__(username, api_key)
        self.caller = Caller(self._baseUrl, timeout)

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
        answer = self.caller.request(method, url, headers=headers, data=data, params=params)
        if not 200 <= answer.status < 300:
            raise ApiError(answer)
        try:
            return parsed(answer.body)
        except ValueError:
            return answer.body


def parsed(body: str) -> Any:
    """JSON that is not nested deeper than an answer can be. Raises: ValueError."""
    if body.count("[") + body.count("{") > MAX_BRACKETS:
        raise ValueError("too many brackets")
    return json.loads(body)


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
