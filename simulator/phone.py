"""A phone of the simulated network, for the demo, the tests and the benchmarks."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import requests

from simulator.handsets import Sms

HOP_SECONDS = 15.0
POLL_SECONDS = 5.0


class PhoneError(Exception):
    """The simulator refused, or an SMS did not come; the text says which."""


class Phone:
    """One handset, over the simulator's JSON API. Not for use from several threads at once."""

    def __init__(self, url: str, msisdn: str) -> None:
        """`url`: the simulator's or the web process's address; `msisdn`: E.164."""
        self._base = f"{url.rstrip('/')}/simulator/api"
        self._session = requests.Session()
        self._session.trust_env = False
        self.msisdn = msisdn
        self.screen = ""
        """The USSD screen as it is now."""
        self.open = False
        """Whether the screen waits for an answer."""

    def dial(self, code: str = "") -> str:
        """Dial a code (the service's own when empty); returns the screen."""
        return self._show(self._call("POST", "dial", {"code": code}))

    def answer(self, text: str) -> str:
        """Answer the screen; returns the next one. Raises: PhoneError when none is open."""
        return self._show(self._call("POST", "answer", {"text": text}))

    def drop(self) -> None:
        """Hang up in the middle."""
        self._show(self._call("POST", "drop", {}))

    def send(self, text: str, to: str = "") -> None:
        """Send an SMS; to the service's short code when `to` is empty."""
        self._call("POST", "sms", {"text": text, "to": to})

    def opt_out(self) -> None:
        """Opt out at the network itself."""
        self._call("POST", "opt-out", {})

    def inbox(self, after: int = 0) -> list[Sms]:
        """Messages that came to this phone, oldest first; those with an id above `after`."""
        return self._messages(after, 0.0)

    def last_id(self) -> int:
        """Id of the newest message in the phone, to wait for what comes after it."""
        return max((sms.id for sms in self._all(0, 0.0)), default=0)

    def wait_for_sms(self, containing: str = "", *, after: int = 0, timeout: float = 20.0) -> Sms:
        """The first SMS to this phone with an id above `after` that contains a text.

        Raises:
            PhoneError: none came within `timeout` seconds; the text quotes what came instead.
        """
        deadline = time.monotonic() + timeout
        seen = after
        others: list[str] = []
        while (left := deadline - time.monotonic()) > 0:
            for sms in self._all(seen, min(left, POLL_SECONDS)):
                seen = sms.id
                if sms.direction == "in":
                    if containing in sms.text:
                        return sms
                    others.append(sms.text)
        raise PhoneError(f"no SMS with {containing!r} within {timeout:g} s; came: {others}")

    def _show(self, phone: dict[str, Any]) -> str:
        self.screen, self.open = phone["screen"], phone["open"]
        return self.screen

    def _messages(self, after: int, wait: float) -> list[Sms]:
        return [sms for sms in self._all(after, wait) if sms.direction == "in"]

    def _all(self, after: int, wait: float) -> list[Sms]:
        answer = self._session.get(
            f"{self._base}/messages",
            params={"number": self.msisdn, "after": str(after), "wait": str(wait)},
            timeout=HOP_SECONDS + wait,
        )
        return [Sms(**sms) for sms in self._checked(answer)["messages"]]

    def _call(self, method: str, action: str, body: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._base}/phones/{quote(self.msisdn)}/{action}"
        return self._checked(self._session.request(method, url, json=body, timeout=HOP_SECONDS))

    def _checked(self, answer: requests.Response) -> dict[str, Any]:
        try:
            body: dict[str, Any] = answer.json()
        except ValueError:
            body = {}
        if answer.status_code != 200:
            raise PhoneError(str(body.get("error") or f"HTTP {answer.status_code}"))
        return body


def set_faults(url: str, **faults: Any) -> None:
    """Switch the network's faults, as `Faults.set` describes them; none given: all off.

    Raises: PhoneError when a name is not known.
    """
    _control(url, "PUT", "faults", faults)


def reset(url: str) -> None:
    """Empty all phones, forget what is still to be posted, switch all faults off."""
    _control(url, "POST", "reset", {})


def _control(url: str, method: str, action: str, body: dict[str, Any]) -> None:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.request(
            method, f"{url.rstrip('/')}/simulator/api/{action}", json=body, timeout=HOP_SECONDS
        )
    if answer.status_code != 200:
        raise PhoneError(answer.text)
