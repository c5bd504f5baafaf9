"""A store full of cases, made quickly, to measure and to count queries on."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import insert

from gateway.agronomy import CROP_OF, LABELS
from gateway.cases import codes
from gateway.store import Store
from gateway.store.base import Base, now
from gateway.store.models import (
    Case,
    Diagnosis,
    Escalation,
    Event,
    Farmer,
    Kiosk,
    Label,
    Message,
    Officer,
    Photo,
)

DISTRICTS = tuple(f"District {n:02}" for n in range(1, 31))
BATCH = 5000

Rows = Iterator[tuple[type[Base], dict[str, Any]]]


def fill(store: Store, cases: int, *, seed: int = 0, days: int = 365) -> None:
    """Put so many cases of the last `days` into an empty store, with all that belongs to them.

    A kiosk and an officer in each of 30 districts; a farmer for two cases; of a hundred cases 70
    are advised, 20 wait for or had an officer, 10 ask for another photo.
    """
    chance = random.Random(seed)
    with store.transaction() as session:
        for number, district in enumerate(DISTRICTS, 1):
            session.add(_kiosk(store, number, district))
            session.add(_officer(store, number, district))
    for model, rows in _by_model(_rows(store, cases, days, chance)):
        with store.transaction() as session:
            session.execute(insert(model), rows)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _kiosk(store: Store, number: int, district: str) -> Kiosk:
    return Kiosk(
        id=number,
        name=f"Kiosk {number}",
        area=f"{district}/Sector",
        token_digest=store.vault.digest(f"kiosk {number}"),
        latitude=-2.7 + 0.3 * (number % 5) + 0.01 * number,
        longitude=29.2 + 0.3 * (number // 5) + 0.05 * (number % 3),
    )


def _officer(store: Store, number: int, district: str) -> Officer:
    phone = f"+2507889{number:05}"
    return Officer(
        id=number,
        name=f"Officer {number}",
        phone=phone,
        phone_digest=store.vault.number(phone),
        area=district,
        languages="rw,en",
    )


def _rows(store: Store, cases: int, days: int, chance: random.Random) -> Rows:
    start = now() - timedelta(days=days)
    for number in range(1, cases + 1):
        at = start + timedelta(days=days) * (number - chance.random()) / cases
        district = chance.randrange(len(DISTRICTS)) + 1
        farmer = f"{(number + 1) // 2:032x}"
        phone = f"+25078{(number + 1) // 2:07}"
        if number % 2:
            yield Farmer, _farmer(store, farmer, phone, DISTRICTS[district - 1], at)
        yield from _case(store, number, district, farmer, phone, at, chance)


def _farmer(store: Store, id_: str, phone: str, district: str, at: datetime) -> dict[str, Any]:
    return {
        "id": id_,
        "phone": phone,
        "phone_digest": store.vault.number(phone),
        "language": "rw",
        "area": f"{district}/Sector",
        "consent_at": at,
        "created_at": at,
    }


def _case(
    store: Store,
    number: int,
    district: int,
    farmer: str,
    phone: str,
    at: datetime,
    chance: random.Random,
) -> Rows:
    label = chance.choice(LABELS)
    fate = chance.random()
    verdict = "advice" if fate < 0.7 else "unknown" if fate < 0.9 else "second_photo"
    confidence = chance.uniform(0.6, 1.0) if verdict == "advice" else chance.uniform(0.2, 0.7)
    state = {"advice": "answered", "unknown": "closed", "second_photo": "photo_requested"}[verdict]
    radix = len(codes.ALPHABET)
    places = range(codes.LENGTH - 1)
    code = codes.checked("".join(codes.ALPHABET[number // radix**at % radix] for at in places))
    judged = at + timedelta(seconds=2)
    yield (
        Case,
        {
            "id": number,
            "code": code,
            "farmer_id": farmer,
            "kiosk_id": district,
            "source": "kiosk",
            "crop": CROP_OF[label],
            "language": "rw",
            "area": f"{DISTRICTS[district - 1]}/Sector",
            "state": state,
            "label": label,
            "verdict": verdict,
            "confidence": confidence,
            "created_at": at,
            "updated_at": judged,
        },
    )
    yield (
        Photo,
        {
            "id": number,
            "case_id": number,
            "address": store.vault.digest(f"photo {number}"),
            "upload_digest": store.vault.digest(f"upload {number}"),
            "source": f"kiosk:{district}",
            "client_id": str(number),
            "width": 1024,
            "height": 768,
            "received_at": at,
            "diagnosed_at": judged,
        },
    )
    yield (
        Diagnosis,
        {
            "photo_id": number,
            "case_id": number,
            "label": label,
            "confidence": confidence,
            "verdict": verdict,
            "detail": {"model": "crowd"},
            "created_at": judged,
        },
    )
    failed = chance.random() < 0.02
    sent = judged + timedelta(seconds=chance.choice([2, 5, 20, 90]))
    yield (
        Message,
        {
            "key": f"case:{number}:judged:1",
            "direction": "out",
            "address": phone,
            "address_digest": store.vault.number(phone),
            "farmer_id": farmer,
            "case_id": number,
            "kind": "answer",
            "template": f"diag_{label}",
            "language": "rw",
            "text": f"This looks like {label}.",
            "state": "failed" if failed else "delivered",
            "outcome": "invalid_number" if failed else None,
            "cost": None if failed else Decimal("12"),
            "currency": None if failed else "RWF",
            "created_at": judged,
            "sent_at": None if failed else sent,
            "final_at": sent,
            "not_before": judged,
        },
    )
    for step, actor in (("received", f"kiosk:{district}"), ("diagnosed", "machine")):
        yield (
            Event,
            {"kind": "case", "case_id": number, "to_state": step, "actor": actor, "at": judged},
        )
    if verdict == "unknown":
        done = at + timedelta(hours=chance.choice([1, 5, 30]))
        yield (
            Escalation,
            {
                "case_id": number,
                "officer_id": district,
                "reason": "unknown",
                "opened_at": judged,
                "closed_at": done,
                "outcome": "answered",
            },
        )
        officers = chance.choice([*LABELS, "none"])
        yield (
            Label,
            {
                "case_id": number,
                "photo_id": number,
                "officer_id": district,
                "label": officers,
                "agreed": officers == "none",
                "machine_label": "none",
                "machine_confidence": confidence,
                "plot_digest": store.vault.digest(f"plot {farmer}"),
                "created_at": done,
                "updated_at": done,
            },
        )


def _by_model(rows: Rows) -> Iterator[tuple[type[Base], list[dict[str, Any]]]]:
    """Batches of one table each, in the order in which tables refer to one another."""
    order: Iterable[type[Base]] = (
        Farmer, Case, Photo, Diagnosis, Message, Event, Escalation, Label,
    )  # fmt: skip
    while batch := list(islice(rows, BATCH)):
        for model in order:
            if found := [values for kind, values in batch if kind is model]:
                yield model, found
