"""Attackers of benchmarks/siege.py, each a loop that does one thing until it is told to stop."""

from __future__ import annotations

import itertools
import random
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import requests
from PIL import Image

from rig.house import KEY
from rig.photos import another, draw_photos, saved
from rig.storm.site import Site

SECONDS = 60.0
DRIP_SECONDS = 0.5
STRANGER, LOOPER, WRITER = "+250722000001", "+250722000002", "+250722000003"
WAY_IN = (("^3 English", "3"), ("Agree", "1"), ("^9 ", "9"))
PAID = (*WAY_IN, ("^2 Advice", "2"))
"""To what is sent by SMS: behind each other screen it is the first choice."""
ASKING = (*WAY_IN, ("^4 Officer", "4"))
ERASING = (*WAY_IN, ("^7 ", "7"), ("^5 Delete", "5"), ("type the code", "CODE"))
HOPS = 9
VICTIMS = "+25072100"
"""What the numbers begin with to which a leaked kiosk token sends."""
ABROAD = ("+8816", "+979", "+4470")
"""Satellites, international premium, personal numbers: what somebody earns by."""


@dataclass
class Bombs:
    """Files made to cost, as large as `side` pixels."""

    side: int
    scans: bytes = field(init=False)
    allowed_scans: bytes = field(init=False)
    """As many passes as are read."""
    wide: bytes = field(init=False)
    """A PNG of few bytes and very many pixels of four colours."""

    def __post_init__(self) -> None:
        grey = saved(Image.new("L", (self.side, self.side), 90), "JPEG", progressive=True)
        self.scans, self.allowed_scans = _with_scans(grey, 3000), _with_scans(grey, 50)
        self.wide = saved(Image.new("RGBA", (self.side, self.side), (9, 99, 9, 200)), "PNG")


class Attackers:
    """All at once. What they were answered is counted by attack and status."""

    def __init__(self, site: Site, bombs: Bombs, token: str, *, drips: int, hands: int) -> None:
        """`token`: of the kiosk that leaked. `drips`: connections held. `hands`: threads each."""
        self.answers: dict[str, Counter[str]] = {}
        self._site, self._bombs, self._token = site, bombs, token
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._leaves = itertools.cycle(draw_photos(8, 224))
        acts: dict[str, tuple[Callable[[int], str], int]] = {
            "2 passes without end": (self._passes, hands),
            "4 a stranger's phone": (self._phone, 3 * hands),
            "5 a kiosk's token": (self._harass, hands),
            "8 pixels without end": (self._pixels, 2 * hands),
            "11 MM7": (self._mm7, hands),
            "13 sign-ins": (self._guess, 2 * hands),
            "22 crowds at slow doors": (self._crowd, 2 * hands),
        }
        self._threads = [threading.Thread(target=self._drip, args=(drips,), name="1 drips")]
        for name, (act, count) in acts.items():
            self._threads += [
                threading.Thread(target=self._again, args=(name, act, hand), name=name)
                for hand in range(count)
            ]

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(SECONDS + 30)

    def _again(self, name: str, act: Callable[[int], str], hand: int) -> None:
        while not self._over.is_set():
            try:
                said = act(hand)
            except requests.RequestException as error:
                said = type(error).__name__
            self._count(name, said)
            # One that is refused comes again at once, as fast as a phone or a script would.
            self._over.wait(0.02)

    def _count(self, name: str, said: str) -> None:
        with self._lock:
            self.answers.setdefault(name, Counter())[said] += 1

    # 1: connections that drip

    def _drip(self, count: int) -> None:
        begun = (
            b"GET /health/live HTTP/1.1\r\nX: ",
            b"POST /api/photos HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n",
            b"POST /officer/sign-in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
            b"",
        )
        held: list[socket.socket] = []
        while not self._over.wait(DRIP_SECONDS):
            for _ in range(min(count - len(held), 40)):
                with suppress(OSError):
                    client = socket.create_connection(("127.0.0.1", self._site.house.port), 5)
                    client.sendall(begun[len(held) % len(begun)])
                    client.setblocking(False)
                    held.append(client)
            for client in list(held):
                try:
                    client.send(b"x")
                    continue
                except BlockingIOError:
                    continue
                except OSError:
                    client.close()
                    held.remove(client)
                    self._count("1 drips", "closed")
        for client in held:
            client.close()
        self._count("1 drips", f"held {len(held)}")

    # 2, 8: pictures

    def _passes(self, hand: int) -> str:
        photo = self._bombs.scans if hand % 2 else self._bombs.allowed_scans
        return self._posted("/api/predict", photo, {"Content-Type": "image/jpeg"})

    def _pixels(self, hand: int) -> str:
        if hand % 2:
            return self._posted("/api/predict", self._bombs.wide, {"Content-Type": "image/png"})
        return self._upload(self._bombs.wide, STRANGER)

    # 4: money by a phone

    def _phone(self, hand: int) -> str:
        number = next(self._numbers)
        if hand % 3 == 2:
            form = {"from": WRITER, "id": f"siege-{number}", "text": "HELP", "to": "384"}
            return self._form("sms", form)
        if hand % 3:
            self._dialled(LOOPER, f"siege-{number}-asks", ASKING)
            return self._dialled(LOOPER, f"siege-{number}-erases", ERASING)
        return self._dialled(STRANGER, f"siege-{number}", PAID)

    def _dialled(self, phone: str, session: str, wants: Sequence[tuple[str, str]]) -> str:
        """How the last screen begins; the first word of `wants` in one says what is typed on it."""
        path: list[str] = []
        for _ in range(HOPS):
            form = {
                "sessionId": session, "phoneNumber": phone, "networkCode": "63510",
                "serviceCode": "*384*123#", "text": "*".join(path),
            }  # fmt: skip
            url = f"{self._site.webhooks}/ussd"
            answer = requests.post(url, data=form, timeout=SECONDS)
            if answer.status_code != 200:
                return str(answer.status_code)
            screen = answer.text
            if screen.startswith("END "):
                break
            typed = next((typed for word, typed in wants if re.search(word, screen, re.M)), "1")
            path.append(self._digits(phone) if typed == "CODE" else typed)
        return screen[:3]

    def _digits(self, phone: str) -> str:
        """The code for deleting, which came to the phone."""
        url = f"{self._site.network}/simulator/api/messages"
        found = requests.get(url, params={"number": phone}, timeout=SECONDS).json()["messages"]
        texts = " ".join(sms["text"] for sms in found if sms["direction"] == "in")
        return (re.findall(r"\b\d{5}\b", texts) or ["00000"])[-1]

    # 5: money by a kiosk

    def _harass(self, _hand: int) -> str:
        number = next(self._numbers)
        photo = another(next(self._leaves), number)
        victim = f"{VICTIMS}{number:04d}"
        return self._upload(photo, random.choice(ABROAD) + "1234567" if number % 4 == 0 else victim)

    # 11: MM7

    def _mm7(self, hand: int) -> str:
        body = (_SEMICOLONS, _WORDS, _BRACKETS)[hand % 3]
        kind = {"Content-Type": 'multipart/related; boundary="b"; type="text/xml"'}
        return self._posted(f"/mm7/{KEY}", body, kind)

    # 13: sign-ins

    def _guess(self, hand: int) -> str:
        number = next(self._numbers)
        own = {"X-Forwarded-For": f"198.51.{number // 250 % 250}.{number % 250}"}
        door = "operator" if hand % 2 else "officer"
        url = f"{self._site.house.url}/{door}/sign-in"
        # The page's token, as a browser has it.
        with requests.Session() as browser:
            browser.trust_env = False
            page = browser.get(url, headers=own, timeout=SECONDS)
            token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
            form = {"csrf_token": token, "name": f"name{number}", "password": "x" * 40}
            form |= {"phone": f"+25078{number:07d}", "pin": "12345", "code": "123456"}
            answer = browser.post(url, data=form, headers=own, timeout=SECONDS)
        return str(answer.status_code)

    # 22: many at the slow doors

    def _crowd(self, hand: int) -> str:
        paths = ("/api/predict", "/operator/sign-in", "/health/whole", "/kiosk/pair?code=x")
        path = paths[hand % len(paths)]
        if path == "/api/predict":
            leaf = next(self._leaves)
            return self._posted(path, leaf, {"Content-Type": "image/jpeg"})
        answer = requests.get(f"{self._site.house.url}{path}", timeout=SECONDS)
        return str(answer.status_code)

    # The line

    def _posted(self, path: str, body: bytes, headers: dict[str, str]) -> str:
        url = f"{self._site.house.url}{path}"
        return str(requests.post(url, data=body, headers=headers, timeout=SECONDS).status_code)

    def _upload(self, photo: bytes, phone: str) -> str:
        answer = requests.post(
            f"{self._site.house.url}/api/photos",
            headers={"Authorization": f"Bearer {self._token}"},
            data={"phone": phone, "crop": "maize", "language": "en"},
            files={"photo": ("leaf", photo, "image/png")},
            timeout=SECONDS,
        )
        return str(answer.status_code)

    def _form(self, kind: str, form: dict[str, str]) -> str:
        url = f"{self._site.webhooks}/{kind}"
        answer = requests.post(url, data=form, timeout=SECONDS)
        return str(answer.status_code)


def _with_scans(grey: bytes, count: int) -> bytes:
    """A grey progressive JPEG with so many empty passes more."""
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x01\x3f\x00" + b"\x7f"
    return grey[:-2] + scan * count + grey[-2:]


_HEAD = b"--b\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n--b\r\n"
_TAIL = b"\r\n\r\nx\r\n--b--\r\n"
_SEMICOLONS = _HEAD + b"Content-Type: image/jpeg" + b";" * 10_000 + _TAIL
_WORDS = _HEAD + b"Content-Type: image/jpeg; name=" + b"=?utf-8?q?a?= " * 20_000 + _TAIL
_BRACKETS = _HEAD + b"Content-Disposition: " + b"(" * 3_000 + _TAIL
