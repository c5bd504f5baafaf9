from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from gateway.cases.case import open_case
from gateway.context import Context
from gateway.dialogue.ussd import answer
from gateway.dialogue.ussd.phone import Phone
from gateway.people import farmers, officers
from gateway.privacy import consent
from gateway.store.models import Message
from rig import things as house
from rig.dialogues.officers import OFFICER

FARMER = "+250788000001"

Dial = Callable[..., Phone]
MakeCase = Callable[..., str]
Outbox = Callable[..., list[str]]


@pytest.fixture
def dial(context: Context) -> Dial:
    """Makes a phone; its calls go through the whole of Leafline but the web server."""

    def make(number: str = FARMER, operator: str = "sandbox") -> Phone:
        code = context.settings.ussd_code
        return Phone(
            lambda request: answer(context.ussd, request).body, number, code=code, operator=operator
        )

    return make


@pytest.fixture
def known(context: Context) -> str:
    """Number of a farmer who speaks English and has agreed."""
    house.farmer(context.store, FARMER)
    return FARMER


@pytest.fixture
def officer(context: Context) -> str:
    """PIN of an officer on duty everywhere, who speaks English."""
    with context.store.transaction() as session:
        return officers.add(session, OFFICER, "Ada", "*", ["en", "rw"])[1]


@pytest.fixture
def make_case(context: Context) -> MakeCase:
    """Makes a case of a farmer who has agreed: `make_case(state=..., label=..., crop=...)`."""

    def make(phone: str = FARMER, **values: str) -> str:
        with context.store.transaction() as session:
            farmer = farmers.find_or_create(session, phone)
            farmers.set_language(session, farmer, farmer.language or "en", by="test")
            consent.give(session, farmer, by="kiosk:1")
            case = open_case(session, farmer, source="kiosk")
            for name, value in values.items():
                setattr(case, name, value)
            return case.code

    return make


@pytest.fixture
def outbox(context: Context) -> Outbox:
    """Texts that wait for a number, oldest first."""

    def read(phone: str = FARMER) -> list[str]:
        with context.store.reading() as session:
            query = select(Message).where(
                Message.direction == "out",
                Message.address_digest == context.store.vault.number(phone),
            )
            return [str(m.text) for m in session.scalars(query.order_by(Message.id))]

    return read
