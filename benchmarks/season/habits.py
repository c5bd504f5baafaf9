"""Who plays, and what each is wont to do and say."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.cases.triage import Finding
from gateway.people import kiosks, officers
from gateway.store import Store

MONDAY = datetime(2026, 11, 2, 5, 0, tzinfo=UTC)
DAYS = 7
AREAS = ("Rwamagana/Muhazi", "Rwamagana/Karenge", "Kayonza/Mukarange", "Huye/Tumba")
OPERATOR = "+250788090000"
LEAVE = range(24, 96)
"""Hours in which one officer is on leave."""
NAMES = ("Keza", "Ada", "Bosco", "Chantal", "Eric", "Flo")
LANGUAGES = ("rw", "rw", "sw", "fr", "en")
ADVICE = (
    "Bury the worst leaves when it is dry and look again next week",
    "Uproot the sick plants and plant clean cuttings from the cooperative",
    "Nothing to do now, the crop will ripen",
)
PROMISES = (
    "I will visit on Friday", "I will call tomorrow", "Je passerai jeudi", "Nitakupigia kesho",
    "Nzagusura ejobundi", "I'll come in 3 days",
)  # fmt: skip
OUTCOMES = ("We met. Bury the sick leaves and do not keep the seed", "I saw it: uproot the row")
FINDINGS = (
    Finding("advice", "maize_rust", 0.97),
    Finding("advice", "bean_spot", 0.95),
    Finding("advice", "cassava_mosaic", 0.93),
    Finding("second_photo", "maize_blight", 0.55),
    Finding("unknown", "maize_rust", 0.4),
    Finding("no_leaf", "maize_rust", 0.3),
)


@dataclass
class Farmer:
    phone: str
    language: str
    begins: int
    """Hour in which she first comes."""
    by: str
    """`kiosk`, `ussd` or `sms`."""
    area: str
    photos: int = 0


@dataclass
class Officer:
    phone: str
    name: str
    habit: str = "works"
    """`works`, `leave` or `silent`."""


@dataclass(frozen=True)
class Cast:
    """Who plays; `kiosks` by their ids."""

    farmers: list[Farmer]
    officers: list[Officer]
    kiosks: list[int]
    days: int
    """In which somebody new comes."""


def cast(
    store: Store, dice: random.Random, crowd: int, desk: int, places: int, days: int = DAYS
) -> Cast:
    """Engage so many. Numbers are made up, as everywhere in the documents."""
    people = []
    with store.transaction() as session:
        doors = [kiosks.add(session, f"Kiosk {n}", AREAS[n % 4])[0].id for n in range(places)]
        for n in range(desk):
            spoken = list(dict.fromkeys([LANGUAGES[n % len(LANGUAGES)], "en"]))
            phone, name = f"+25078808{n:04d}", NAMES[n % len(NAMES)]
            row, _ = officers.add(session, phone, name, ("*", "Rwamagana", "Huye")[n % 3], spoken)
            row.work_hours = "08:00-17:00"
            habit = {0: "leave", 1: "silent"}.get(n, "works")
            people.append(Officer(phone, name, habit))
    came = [
        Farmer(
            phone=f"+25078800{n:04d}",
            language=dice.choice(LANGUAGES),
            begins=dice.randrange(0, (days - 1) * 24),
            by=dice.choice(("kiosk", "kiosk", "ussd", "sms")),
            area=dice.choice(AREAS),
        )
        for n in range(1, crowd + 1)
    ]
    return Cast(came, people, doors, days)
