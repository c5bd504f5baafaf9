"""The provider's twelve traps, one case each by its short name, against real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import requests
from flask import Flask, Response, request
from sqlalchemy import func, select

from gateway.channels.africastalking.client import Client
from gateway.channels.africastalking.tables import FAILURE, RECIPIENT, REPORT
from gateway.context import Context
from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import SCREEN_LIMIT
from gateway.dialogue.ussd.engine import RESERVED, State
from gateway.dialogue.ussd.lint import Widest
from gateway.outbox.network import Outcome
from gateway.people import farmers
from gateway.privacy import consent
from gateway.store.models import DeliveryReport, Farmer, Message
from rig.mobile import serving
from simulator.phone import Phone, set_faults
from tests.conftest import CHANNEL_KEY

PHONE, STRANGER = "+250788000001", "+250788000002"


@dataclass
class Both:
    """The simulated network with a client of it, and our doors as the network reaches them."""

    at: Client
    hasty: Client
    network: str
    door: str
    context: Context

    def fault(self, name: str, **more: float) -> None:
        set_faults(self.network, send=[{"name": name, "times": 1, **more}])

    def post(self, kind: str, key: str = CHANNEL_KEY, **form: str) -> requests.Response:
        return requests.post(f"{self.door}/africastalking/{key}/{kind}", form, timeout=30)

    def hop(self, text: str, session: str = "ATUid_1", phone: str = PHONE) -> str:
        form = {"sessionId": session, "phoneNumber": phone, "serviceCode": "*384*123#"}
        return self.post("ussd", **form, text=text).text

    def count(self, model: type[Message | Farmer]) -> int:
        with self.context.store.reading() as session:
            return session.scalar(select(func.count(model.id))) or 0


@pytest.fixture
def both(at: Client, hasty: Client, network: str, app: Flask) -> Iterator[Both]:
    context: Context = app.extensions["leafline"]
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, PHONE)
        farmers.set_language(session, farmer, "en", by="test")
        consent.give(session, farmer, by="kiosk:1")
    with serving(app) as door:
        yield Both(at, hasty, network, door, context)


def created_and_nobody_in_the_list(both: Both) -> None:
    assert both.at.send(PHONE, "hello").outcome is Outcome.SENT  # a 201
    both.fault("empty_recipients")
    result = both.at.send(PHONE, "hello")
    assert (result.outcome, result.reason) == (Outcome.CHANNEL_DOWN, "blocked_sender")


def enqueue(both: Both) -> None:
    with _listening() as (url, heard):
        Client("sandbox", "key", base_url=url).send(PHONE, "hello")
    assert [form["enqueue"] for form in heard] == ["1"]  # said, not left to the default


def charset(both: Both) -> None:
    both.fault("charset")
    assert both.at.send(PHONE, "hello").outcome is Outcome.SENT


def redirect(both: Both) -> None:
    with _listening() as (elsewhere, heard):
        away = Response("", 302, {"Location": f"{elsewhere}/version1/messaging"})
        with _listening(away) as (url, asked):
            result = Client("sandbox", "key", base_url=url).send(PHONE, "hello")
    assert (result.outcome, len(asked), heard) == (Outcome.CHANNEL_DOWN, 1, [])


def read_timeout(both: Both) -> None:
    both.fault("timeout_accepted", seconds=1.0)
    assert both.hasty.send(PHONE, "hello").outcome is Outcome.UNKNOWN
    assert Phone(both.network, PHONE).wait_for_sms("hello")  # it went all the same


def an_sms_that_comes_again(both: Both) -> None:
    for _ in range(4):
        answer = both.post("sms", **{"from": PHONE, "to": "384", "id": "7", "text": "HELP"})
        assert answer.status_code == 200
    assert both.count(Message) == 2  # itself and one reply


def keys_of_the_operators(both: Both) -> None:
    menu = both.context.ussd.menu
    values = menu.texts.longest_values()
    facts = Widest(values, "answered", "maize_rust")
    for screen in menu.screens.values():
        assert not RESERVED & {option.number for option in screen.options}
        for language in menu.texts.languages:
            data = {"case": values["case"], "label": "maize_rust", "kiosk": "1", "pin": "ok"}
            state = State(screen.name, language, data=data, back=("main",))
            assert all(gsm7.septets(p) <= SCREEN_LIMIT for p in menu.pages(state, facts))


def a_redial(both: Both) -> None:
    both.hop("")
    both.hop("3")
    assert "Go on" in both.hop("", session="ATUid_2")
    assert "Go on" not in both.hop("", session="ATUid_3", phone=STRANGER)


def spellings(both: Both) -> None:
    for number, reason in enumerate(
        ("NotNetworkSubcriber", "NotNetworkSubscriber", "UserInBlackList", "UserInBlacklist")
    ):
        form = {"id": f"ATXid_{number}", "status": "Failed", "failureReason": reason}
        both.post("delivery-reports", **form, phoneNumber=PHONE)
    with both.context.store.reading() as session:
        kept = list(session.scalars(select(DeliveryReport.reason).order_by(DeliveryReport.id)))
    assert kept == ["other_network"] * 2 + ["blacklisted"] * 2
    assert set(kept) <= set(FAILURE.values())


def a_plus_that_became_a_blank(both: Both) -> None:
    assert "My results" in both.hop("", phone=" " + PHONE.removeprefix("+"))


def a_number_is_a_claim(both: Both) -> None:
    assert both.post("ussd", key="guess", sessionId="a", phoneNumber=PHONE).status_code == 404
    both.hop("")
    assert both.hop("4", phone=STRANGER).startswith("END This session belongs to another number")
    assert both.count(Farmer) == 1


def write_ups_that_are_wrong(both: Both) -> None:
    unsigned = both.post("opt-outs", senderId="384", phoneNumber=STRANGER)
    assert unsigned.status_code == 200  # callbacks carry no HMAC; the key in the path is all
    assert RECIPIENT[102] == (Outcome.SENT, "")  # queued: only a report says delivered
    assert [status for status, fate in REPORT.items() if fate == "delivered"] == ["success"]
    assert RECIPIENT[402] == (Outcome.CHANNEL_DOWN, "blocked_sender")  # no bad phone number
    assert RECIPIENT[403] == (Outcome.REJECTED, "invalid_number")  # no lack of credit
    assert RECIPIENT[405] == (Outcome.CHANNEL_DOWN, "no_credit")


@pytest.mark.parametrize(
    "trap",
    [
        created_and_nobody_in_the_list,
        enqueue,
        charset,
        redirect,
        read_timeout,
        an_sms_that_comes_again,
        keys_of_the_operators,
        a_redial,
        spellings,
        a_plus_that_became_a_blank,
        a_number_is_a_claim,
        write_ups_that_are_wrong,
    ],
    ids=lambda trap: trap.__name__,
)
def test_trap(trap: Callable[[Both], None], both: Both) -> None:
    trap(both)


@contextmanager
def _listening(answer: Response | None = None) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server in the provider's place: its address, and the forms that it was sent."""
    app, heard = Flask("provider"), list[dict[str, str]]()

    @app.post("/version1/messaging")
    def messaging() -> Response:
        heard.append(dict(request.form))
        return answer or Response("{}", 201, content_type="application/json")

    with serving(app) as url:
        yield url, heard
