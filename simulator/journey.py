"""The whole journey, played by its people: a kiosk, a farmer's phone, an officer's phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import requests

from gateway.dialogue.catalogue import Catalogue
from simulator.handsets import Sms
from simulator.phone import Phone

LANGUAGE = "en"
SMS_SECONDS = 60.0
ANSWER_SECONDS = 200.0
"""An officer may take an answer back for two minutes, so it leaves after that."""
ANSWER = "Looks like no leaf disease. Show me a fresh leaf at the kiosk on Friday."


class JourneyFailed(Exception):
    """Something on the way did not happen. The text is one line."""


@dataclass(frozen=True)
class Photo:
    name: str
    data: bytes
    crop: str
    """As the kiosk agent names it: maize, beans or cassava."""


@dataclass
class Journey:
    """`tell(who, what)` gets every step as it happens; `who` is kiosk, farmer or officer."""

    url: str
    token: str
    farmer: Phone
    officer: Phone
    texts: Catalogue
    tell: Callable[[str, str], None]

    def play(self, photo: Photo, unclear: tuple[Photo, Photo]) -> None:
        """First the photo, read by SMS and by USSD; then a case that ends with a person.

        Raises: JourneyFailed, PhoneError, requests.RequestException.
        """
        code, _ = self.upload(photo)
        self.read_again(code)
        self.ask_a_person(*unclear)

    def upload(self, photo: Photo, case: str = "") -> tuple[str, Sms]:
        """Photograph a leaf at the kiosk and wait for the farmer's SMS; the case's code and it."""
        newest = self.farmer.last_id()
        fields = {"phone": self.farmer.msisdn, "crop": photo.crop, "language": LANGUAGE}
        fields |= {"case": case} if case else {}
        self.tell("kiosk", f"photographs {photo.name} ({photo.crop}) for {self.farmer.msisdn}")
        answer = requests.post(
            f"{self.url}/api/photos",
            headers={"Authorization": f"Bearer {self.token}"},
            data=fields,
            files={"photo": (photo.name, photo.data)},
            timeout=60,
        )
        if answer.status_code != 202:
            raise JourneyFailed(f"the photo was refused: {answer.text.strip()}")
        code = str(answer.json()["case"])
        self.tell(
            "kiosk", f"case {code}, answer to the number ending {answer.json()['phone_last4']}"
        )
        sms = self.farmer.wait_for_sms(after=newest, timeout=SMS_SECONDS)
        self.tell("farmer", f"SMS: {sms.text}")
        shown = self.case(code)
        self.tell("kiosk", f"case {code} is {shown['state']}, label {shown['label'] or 'none'}")
        return code, sms

    def case(self, code: str) -> dict[str, object]:
        answer = requests.get(
            f"{self.url}/api/cases/{code}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        )
        answer.raise_for_status()
        shown: dict[str, object] = answer.json()
        return shown

    def read_again(self, code: str) -> None:
        """Dial, choose a language and agree (a first dial asks both), and find the case."""
        self.tell("farmer", "dials the service")
        screen = self._shows(self.farmer.dial())
        for option in (f"option_language_{LANGUAGE}", "option_yes"):
            if self._number(screen, option):
                screen = self._answer(option)
        self._answer("option_results")
        if not self._number(self.farmer.screen, code):
            raise JourneyFailed(f"case {code} is not among the results on the phone")
        self._answer(code)
        self.farmer.drop()

    def ask_a_person(self, first: Photo, second: Photo) -> None:
        """Two photos that the machine cannot use; an officer answers by SMS."""
        newest = self.officer.last_id()
        code, _ = self.upload(first)
        if self.case(code)["state"] == "photo_requested":
            self.upload(second, case=code)
        sms = self.officer.wait_for_sms(code, after=newest, timeout=SMS_SECONDS)
        self.tell("officer", f"SMS: {sms.text}")
        newest = self.farmer.last_id()
        self.tell("officer", f"answers by SMS: {code} {ANSWER}")
        self.officer.send(f"{code} {ANSWER}")
        self.tell("farmer", "gets it in two minutes, in which the officer may take it back")
        answer = self.farmer.wait_for_sms(code, after=newest, timeout=ANSWER_SECONDS)
        self.tell("farmer", f"SMS: {answer.text}")
        self.tell("kiosk", f"case {code} is {self.case(code)['state']}")

    def _answer(self, option: str) -> str:
        number = self._number(self.farmer.screen, option)
        if number is None:
            raise JourneyFailed(f"the phone offers no {option!r}: {self.farmer.screen!r}")
        self.tell("farmer", f"types {number}")
        return self._shows(self.farmer.answer(number))

    def _shows(self, screen: str) -> str:
        self.tell("farmer", f"screen: {screen}")
        return screen

    def _number(self, screen: str, option: str) -> str | None:
        """The number before an option: a key of the catalogue, or a word that the line holds."""
        words = option
        if option.startswith("option_"):
            words = self.texts.text(option, LANGUAGE)
        found = re.search(rf"^(\d+)\W.*{re.escape(words)}", screen, re.MULTILINE)
        return found[1] if found else None
