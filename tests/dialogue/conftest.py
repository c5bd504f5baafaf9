from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.context import Context
from gateway.dialogue.ussd import answer
from gateway.dialogue.ussd.phone import Phone
from gateway.people import farmers

FARMER = "+250788000001"
OFFICER = "+250788000009"

Dial = Callable[..., Phone]


@pytest.fixture
def dial(context: Context) -> Dial:
    """Makes a phone; its calls go through the whole of Leafline but the web server."""

    def make(number: str = FARMER, code: str = context.settings.ussd_code) -> Phone:
        return Phone(lambda request: answer(context, request), number, code=code)

    return make


@pytest.fixture
def known(context: Context) -> str:
    """Number of a farmer who speaks English and has agreed."""
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        farmers.set_language(session, farmer, "en", by="test")
        farmers.give_consent(session, farmer, by="kiosk:1")
    return FARMER
