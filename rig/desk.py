"""An officer's desk for tests: an officer with a PIN, cases that wait, a client that signs in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.cases import escalation, judgement
from gateway.cases.case import open_case
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.people import farmers, officers
from gateway.privacy import consent
from gateway.store.models import Case, Escalation, Photo
from inference.card import Card
from inference.drawn import draw_leaf
from inference.verdict import Decision, Verdict
from rig import things as house

COLLEAGUE = "+250788000098"


@dataclass(frozen=True)
class Officer:
    id: int
    phone: str
    pin: str


def officer(context: Context, phone: str = house.OFFICER, name: str = "Keza") -> Officer:
    with context.store.transaction() as session:
        added, pin = officers.add(session, phone, name, "Rwamagana", ["rw", "en"])
        return Officer(added.id, phone, pin)


@cache
def leaf(label: str = "maize_rust", seed: int = 0) -> bytes:
    return draw_leaf(label, seed)


def case(
    context: Context,
    phone: str = house.FARMER,
    *,
    picture: bytes | None = None,
    verdict: Decision = "second_photo",
    label: str = "maize_rust",
    language: str = "rw",
    training: bool = False,
    place: str = "Kanyangese",
    opened_at: datetime | None = None,
) -> str:
    """A case with one judged photo, in the hands of whoever is on duty; its code."""
    data = picture or leaf()
    address = context.photos.put(data)
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, phone)
        farmers.set_language(session, farmer, language, by="test")
        consent.give(session, farmer, by="test")
        if training:
            farmer.training_consent_at = farmer.consent_at
        made = open_case(
            session, farmer, source="kiosk", crop="maize", area=house.AREA, place=place,
            answers={"stage": "flowering", "plants": "few", "sprayed": "no"},
        )  # fmt: skip
        add_photo(context, made, address, verdict, label)
        judgement.judge(session, context.desk, made, Finding(verdict, label, 0.62), 2)
        held = escalation.open_one(session, made)
        if held is not None and opened_at is not None:
            held.opened_at = opened_at
        return made.code


def add_photo(context: Context, made: Case, address: str, verdict: Decision, label: str) -> None:
    from sqlalchemy.orm import object_session

    session = object_session(made)
    assert session is not None
    photo = Photo(
        case_id=made.id, address=address, upload_digest=address, source="kiosk:1",
        width=512, height=512,
    )  # fmt: skip
    session.add(photo)
    session.flush()
    judgement.record(session, photo, word(verdict, label))


def word(verdict: Decision, label: str) -> Verdict:
    """What the model in use might say of one photo."""
    card = Card.read()
    return Verdict(
        label=label,
        confidence=0.62,
        probabilities=(0.03, 0.02, 0.08, 0.25, 0.62),
        verdict=verdict,
        unknown_score=0.2,
        plant_fraction=0.5,
        quality=("blurred",),
        rationale="attention centre",
        latency_ms=2.0,
        model=card.version,
        labels=card.labels,
    )


def held_by(context: Context, code: str) -> int | None:
    from sqlalchemy import select

    with context.store.reading() as session:
        return session.scalar(
            select(Escalation.officer_id)
            .join(Case)
            .where(Case.code == code, Escalation.closed_at.is_(None))
        )


class Person:
    """Somebody at a browser without scripts: gets pages, fills in their forms."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page = ""

    def get(self, path: str, **more: str) -> TestResponse:
        return self._seen(self.client.get(path, follow_redirects=True, **more))

    def post(self, path: str, **form: str) -> TestResponse:
        """Send a form of the page seen last, with its token."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page)
        data = form | ({"csrf_token": token[1]} if token else {})
        return self._seen(self.client.post(path, data=data, follow_redirects=True))

    def sign_in(self, officer: Officer, pin: str | None = None, case: str = "") -> TestResponse:
        self.get("/officer/sign-in?lang=en")
        form = {"phone": officer.phone, "pin": pin or officer.pin, "case": case}
        return self.post("/officer/sign-in", **form)

    def act(self, code: str, action: str, **form: str) -> TestResponse:
        return self.post(f"/officer/case/{code}/{action}", **form)

    def _seen(self, response: TestResponse) -> TestResponse:
        self.page = response.get_data(as_text=True)
        return response
