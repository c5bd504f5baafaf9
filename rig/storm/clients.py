"""Kiosks, farmers and officers: what they send, how often they try, and what they were told."""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

from gateway.agronomy import CROP_OF, CROPS
from inference.drawn import LEAVES as DRAWN
from rig.photos import another
from rig.storm.site import OFFICERS, Site

SECONDS = 15.0
"""A client gives one request so long; the mobile network gives USSD ten."""
HOP_SECONDS = 10.0
CLIENTS = 24
LABELS = tuple(DRAWN)
LEAVES = 2 * len(LABELS)
"""Pictures repeat their labels after so many: two leaves of each."""
CODE = re.compile(r"\b[23456789CDFHJKMNPQRTVWX]{7}\b")
APOLOGY = "END Sorry"
WRITTEN = ("HELP", "STOP", "RESULT", "my beans are ill")
TYPED = (
    (r"^3 English", "3"),
    (r"first letters", "1"),  # where the field is
    (r"^9 ", "9"),  # go on where the last call was cut off
    (r"Agree\?", "1"),
    (r"^4 Officer", "4"),
    (r"Why\?", "1"),
)
"""What a farmer types on a screen: the first line that it has."""


@dataclass
class Ledger:
    """What clients were told. From then on it is promised."""

    uploads: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Client id to the case codes that its 202s named."""
    phones: dict[str, str] = field(default_factory=dict)
    """Client id to the farmer's number."""
    sms: dict[str, str] = field(default_factory=dict)
    """Id of an SMS answered 200 to its number."""
    stops: set[str] = field(default_factory=set)
    consents: set[str] = field(default_factory=set)
    requests: set[str] = field(default_factory=set)
    """Numbers that read that their request for an officer is kept."""
    refused: list[str] = field(default_factory=list)
    wrong_screens: list[str] = field(default_factory=list)
    posts: int = 0
    """Requests sent, whatever became of them."""
    hops: int = 0
    """Hops answered with a screen."""
    hop_seconds: list[float] = field(default_factory=list)
    """How long each hop took to be answered."""
    unanswered: int = 0
    """Tasks given up at the end: nobody was told anything."""


class Crowd:
    """Does all tasks, spread over a time, each tried again until it is answered."""

    def __init__(self, site: Site, pictures: Sequence[bytes], seed: int) -> None:
        self.ledger = Ledger()
        self._site, self._pictures, self._seed = site, pictures, seed
        self._lock = threading.Lock()
        self._local = threading.local()
        self._deadline = float("inf")
        self._over = threading.Event()

    def run(
        self,
        photos: int,
        sessions: int,
        texts: int,
        *,
        spread: float,
        most: float,
        first: int = 0,
    ) -> None:
        """Do so many tasks of each kind, numbered from `first`: a number is a client of its own.

        Args:
            spread: seconds over which tasks begin.
            most: seconds after which all give up.
        """
        tasks: list[tuple[Callable[[int, random.Random], None], int]] = [
            *((self._photo, number) for number in range(first, first + photos)),
            *((self._session, number) for number in range(first, first + sessions)),
            *((self._text, number) for number in range(first, first + texts)),
        ]
        random.Random(self._seed).shuffle(tasks)
        began = time.monotonic()
        self._deadline = began + most
        officers = threading.Thread(target=self._officers)
        officers.start()
        with ThreadPoolExecutor(CLIENTS) as pool:
            for index, (act, number) in enumerate(tasks):
                pool.submit(self._at, began + spread * index / len(tasks), act, number)
        self._over.set()
        officers.join()

    def _at(self, moment: float, act: Callable[[int, random.Random], None], number: int) -> None:
        time.sleep(max(0.0, moment - time.monotonic()))
        act(number, random.Random(f"{self._seed} {act.__name__} {number}"))

    # Kiosks

    def _photo(self, number: int, chance: random.Random) -> None:
        client_id, phone = f"chaos-{number}", f"+25078{number:07d}"
        picture = another(self._pictures[number % len(self._pictures)], number)
        label = LABELS[number % len(self._pictures) % LEAVES // 2]
        crop = CROP_OF[label] if chance.random() < 0.7 else chance.choice(CROPS)
        with self._lock:
            self.ledger.phones[client_id] = phone
        copies = chance.choice((1, 1, 1, 1, 1, 1, 1, 2, 3))
        self._together(copies, lambda: self._upload(client_id, phone, crop, picture))

    def _upload(self, client_id: str, phone: str, crop: str, picture: bytes) -> None:
        for answer in self._tries(
            f"{self._site.house.url}/api/photos",
            SECONDS,
            headers={"Authorization": f"Bearer {self._site.token}"},
            data={"phone": phone, "crop": crop, "language": "en", "client_id": client_id},
            files={"photo": ("leaf.jpg", picture, "image/jpeg")},
        ):
            if answer is not None and answer.status_code == 202:
                with self._lock:
                    self.ledger.uploads[client_id].add(answer.json()["case"])
                return
            if answer is not None and answer.status_code < 500:
                with self._lock:
                    self.ledger.refused.append(f"{client_id}: {answer.status_code} {answer.text}")
                return

    # Farmers who dial

    def _session(self, number: int, chance: random.Random) -> None:
        """Dials until she has read that her request for an officer is kept."""
        phone = f"+25079{number:07d}"
        for attempt in itertools.count():
            if time.monotonic() > self._deadline:
                with self._lock:
                    self.ledger.unanswered += 1
                return
            if self._call(f"ATUid_{number}_{attempt}", phone, chance):
                return
            time.sleep(chance.uniform(0.2, 1.0))

    def _call(self, session_id: str, phone: str, chance: random.Random) -> bool:
        """One call; False when it broke off."""
        path: list[str] = []
        for _ in range(10):
            screen = self._hop(session_id, phone, "*".join(path), chance)
            if screen is None:
                return False
            if path and path[-1] == "1" and screen.startswith("CON Thank you."):
                with self._lock:
                    self.ledger.consents.add(phone)
            if screen.startswith("END "):
                if "request is kept" in screen or "request went to" in screen:
                    with self._lock:
                        self.ledger.requests.add(phone)
                    return True
                return False
            found = (typed for line, typed in TYPED if re.search(line, screen, re.MULTILINE))
            path.append(next(found, "0"))
        return False

    def _hop(self, session_id: str, phone: str, text: str, chance: random.Random) -> str | None:
        form = {
            "sessionId": session_id,
            "serviceCode": "*384*123#",
            "phoneNumber": phone,
            "networkCode": "99999",
            "text": text,
        }
        screens: list[str] = []

        def post() -> None:
            began = time.monotonic()
            answer = self._post(f"{self._site.webhooks}/ussd", HOP_SECONDS, data=form)
            took = time.monotonic() - began
            if answer is not None and answer.status_code == 200:
                with self._lock:
                    self.ledger.hops += 1
                    self.ledger.hop_seconds.append(took)
                    screens.append(answer.text)
                    if not answer.text.startswith(("CON ", "END ")) or len(answer.text) > 160:
                        self.ledger.wrong_screens.append(answer.text)

        self._together(chance.choice((1, 1, 1, 1, 2)), post)
        good = [screen for screen in screens if not screen.startswith(APOLOGY)]
        return good[0] if good else None

    # Farmers and officers who write

    def _text(self, number: int, chance: random.Random) -> None:
        self._write(f"chaos-sms-{number}", f"+25073{number:07d}", chance.choice(WRITTEN), chance)

    def _write(self, key: str, phone: str, text: str, chance: random.Random) -> None:
        form = {"from": phone, "id": key, "text": text, "to": "384", "date": "2026-11-24 08:00:00"}

        def post() -> None:
            for answer in self._tries(f"{self._site.webhooks}/sms", SECONDS, data=form):
                if answer is not None and answer.status_code == 200:
                    with self._lock:
                        self.ledger.sms[key] = phone
                        if text == "STOP":
                            self.ledger.stops.add(phone)
                    return

        self._together(chance.choice((1, 1, 2, 3)), post)

    def _officers(self) -> None:
        """Answer every fifth case that they are told of, by SMS."""
        chance = random.Random(f"{self._seed} officers")
        seen, after = set[str](), 0
        while not self._over.wait(2.0):
            try:
                found = self._site.messages(after)
            except requests.RequestException:
                continue
            for sms in found:
                after = max(after, int(sms["id"]))
                code = CODE.search(sms["text"]) if sms["phone"] in OFFICERS else None
                if code is None or code[0] in seen or not sms["text"].startswith("CASE"):
                    continue
                seen.add(code[0])
                if len(seen) % 5 == 0:
                    words = f"{code[0]} Remove the worst leaves."
                    self._write(f"chaos-officer-{code[0]}", sms["phone"], words, chance)

    # The line

    def _tries(
        self, url: str, seconds: float, **request: object
    ) -> Iterator[requests.Response | None]:
        """Answers, None where there was none, until the caller is content or it is too late."""
        for attempt in itertools.count():
            if time.monotonic() > self._deadline:
                with self._lock:
                    self.ledger.unanswered += 1
                return
            yield self._post(url, seconds, **request)
            time.sleep(min(2.0, 0.2 * 2**attempt) * random.uniform(0.5, 1.0))

    def _post(self, url: str, seconds: float, **request: object) -> requests.Response | None:
        with self._lock:
            self.ledger.posts += 1
        if not hasattr(self._local, "line"):
            self._local.line = requests.Session()
            self._local.line.trust_env = False
        try:
            line: requests.Session = self._local.line
            return line.post(url, timeout=seconds, allow_redirects=False, **request)  # type: ignore[arg-type]
        except requests.RequestException:
            return None

    def _together(self, copies: int, act: Callable[[], None]) -> None:
        others = [threading.Thread(target=act) for _ in range(copies - 1)]
        for thread in others:
            thread.start()
        act()
        for thread in others:
            thread.join()
