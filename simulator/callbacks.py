"""What the network posts to the application: the real forms, over real HTTP."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import requests
from requests.adapters import HTTPAdapter

log = logging.getLogger("leafline.simulator")

HOP_LABEL = "at-ussd-hop-metadata"
"""Of a reply, and again of the next request: what the application calls its screen."""
USSD_SECONDS = 10.0
"""The network gives an application so long for a screen."""
REPEAT_SECONDS = 2.0
REPEATS = 360
"""An incoming SMS comes again until it is answered 200. The real network waits a minute between
and stops after twelve hours; nobody at a demonstration does."""
POSTS_AT_ONCE = 16


@dataclass(frozen=True)
class Addresses:
    """Where each callback goes."""

    ussd: str
    ussd_events: str
    sms: str
    delivery_reports: str
    opt_outs: str

    @classmethod
    def under(cls, base: str) -> Addresses:
        """All under one base, such as `http://127.0.0.1:8000/africastalking/KEY`."""
        names = ("ussd", "ussd-events", "sms", "delivery-reports", "opt-outs")
        return cls(*(f"{base}/{name}" for name in names))


@dataclass(frozen=True)
class Call:
    """One post, and what comes after it."""

    url: str
    forms: tuple[Mapping[str, str], ...]
    delay: float
    repeats: int = 0

    def following(self, taken: bool) -> Call | None:
        """What to post next: the same again until it is taken, then the next form."""
        if not taken and self.repeats:
            return replace(self, delay=REPEAT_SECONDS, repeats=self.repeats - 1)
        return replace(self, forms=self.forms[1:]) if len(self.forms) > 1 else None


class Callbacks:
    """Posts at once (USSD) or later from a thread of its own (everything else)."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=POSTS_AT_ONCE))
        self._later: list[tuple[float, int, Call]] = []
        self._count = itertools.count()
        self._on_the_way = 0
        self._forgotten = 0
        self._ready = threading.Condition()
        self._pool = ThreadPoolExecutor(POSTS_AT_ONCE, thread_name_prefix="callback")
        threading.Thread(target=self._run, name="callbacks", daemon=True).start()

    def ussd(self, form: Mapping[str, str], label: str = "") -> tuple[str, str]:
        """One hop: the reply and its label, from the one before's label.

        Raises: requests.RequestException; NotAnswered for a status other than 200.
        """
        answer = self._session.post(
            self.addresses.ussd,
            data=form,
            headers={HOP_LABEL: label} if label else {},
            timeout=USSD_SECONDS,
            allow_redirects=False,
        )
        if answer.status_code != 200:
            raise NotAnswered(f"Code {answer.status_code}")
        answer.encoding = "utf-8"
        return answer.text, answer.headers.get(HOP_LABEL, "")

    def post(self, url: str, *forms: Mapping[str, str], delay: float = 0) -> None:
        """Post the first form after `delay` seconds, each further one as long after the answer to
        the one before."""
        self._put(Call(url, forms, delay))

    def post_repeatedly(self, url: str, form: Mapping[str, str]) -> None:
        """Post at once; again, up to REPEATS times, until the answer is 200."""
        self._put(Call(url, (form,), 0, REPEATS))

    def post_now(self, url: str, form: Mapping[str, str]) -> bool:
        """Post once; True when it was answered 200."""
        try:
            answer = self._session.post(url, data=form, timeout=USSD_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            log.info("callback not taken: %s", type(error).__name__)
            return False
        return answer.status_code == 200

    def forget(self) -> None:
        """Drop what has not been posted yet, and what would follow a post now on its way."""
        with self._ready:
            self._later.clear()
            self._forgotten += 1

    def pending(self) -> int:
        """How many calls are not done with: waiting, or on their way."""
        with self._ready:
            return len(self._later) + self._on_the_way

    def _put(self, call: Call) -> None:
        with self._ready:
            heapq.heappush(self._later, (time.monotonic() + call.delay, next(self._count), call))
            self._ready.notify()

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._later or self._later[0][0] > time.monotonic():
                    wait = self._later[0][0] - time.monotonic() if self._later else None
                    self._ready.wait(wait)
                call, era = heapq.heappop(self._later)[-1], self._forgotten
                self._on_the_way += 1
            self._pool.submit(self._deliver, call, era)

    def _deliver(self, call: Call, era: int) -> None:
        following = call.following(self.post_now(call.url, call.forms[0]))
        with self._ready:
            if following is not None and era == self._forgotten:
                self._put(following)
            self._on_the_way -= 1


class NotAnswered(Exception):
    """The application answered a hop with something that is no screen."""
