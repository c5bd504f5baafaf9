"""A forged sender: SMS in an officer's name from somebody who does not see what comes back.

Nothing of it may reach a farmer before its echo has left for the officer's own phone and the
officer had the time to take it back; and nothing may be done of which no echo would come.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from gateway.cases import escalation
from gateway.context import Context
from gateway.dialogue.answers import HOLD
from gateway.dialogue.sms import Incoming, inbox, receive
from gateway.outbox.claim import claim
from gateway.people import officers
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Message
from tests.dialogue.conftest import FARMER, OFFICER, MakeCase, Outbox

Send = Callable[..., None]
MORNING = datetime(2030, 11, 1, 8, tzinfo=UTC)
LEASE = timedelta(minutes=1)
ids = itertools.count()


@pytest.fixture
def send(context: Context) -> Send:
    def deliver(text: str, phone: str = OFFICER) -> None:
        receive(context.dialogue, Incoming(f"forged-{next(ids)}", phone, text, now()))

    return deliver


@pytest.fixture
def escalated(context: Context, make_case: MakeCase, officer: str, send: Send) -> str:
    code = make_case(state="answered", label="maize_rust", crop="maize")
    send(f"OFFICER {code}", FARMER)
    leaves(context)
    return code


def leaves(context: Context, hold_back: str = "") -> list[str]:
    """Send what is due, but for replies to the number given; the texts to the farmer."""
    with context.store.transaction() as session:
        out = []
        for message in claim(session, limit=100, lease=LEASE, now=now()):
            if message.kind == "reply" and message.address == hold_back:
                message.state, message.not_before = "queued", now() + timedelta(hours=12)
                continue
            message.state, message.sent_at = "sent", now()
            if message.address == FARMER:
                out.append(str(message.text))
        return out


def case_of(context: Context, code: str) -> Case:
    with context.store.reading() as session:
        return session.scalars(select(Case).where(Case.code == code)).one()


SAID = {
    "words": ["{code} Bury all leaves with brown powder"],
    "a label": ["{code} OK blight"],
    "a bare agreement": ["{code} ok"],
    "a product": ["{code} Spray copper oxychloride when it is dry", "YES"],
    "a short one": ["{code} mulch", "yes please"],
    "a promise": ["{code} I will come to you tomorrow, have money ready"],
    "a call": ["{code} I will call you at 9"],
    "more of it": ["{code} Bury all leaves", "and the stems of every plant there"],
    "a photo": ["{code} photo"],
    "without a code": ["Bury all the leaves with brown powder"],
}


@pytest.mark.parametrize("texts", SAID.values(), ids=SAID)
def test_nothing_reaches_a_farmer_at_once(
    context: Context, send: Send, outbox: Outbox, escalated: str, texts: list[str]
) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        leaves(context)
        for text in texts:
            before = len(outbox(OFFICER))
            send(text.format(code=escalated))
            assert len(outbox(OFFICER)) == before + 1, "an echo for each"
        assert leaves(context) == []
        clock.shift(HOLD - timedelta(seconds=1))
        assert leaves(context) == []
        clock.shift(2)
        assert leaves(context)


@pytest.mark.parametrize("kind", [k for k in SAID if k != "a photo"])
@pytest.mark.parametrize("undo", ["UNDO", "undo {code}"])
def test_the_real_officer_takes_it_back_in_time(
    context: Context, send: Send, outbox: Outbox, escalated: str, kind: str, undo: str
) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        leaves(context)
        for text in SAID[kind]:
            send(text.format(code=escalated))
        clock.shift(60)
        send(undo.format(code=escalated))
        assert "Nothing was sent" in outbox(OFFICER)[-1]
        clock.shift(timedelta(hours=2))
        assert leaves(context) == []
    assert case_of(context, escalated).state == "accepted"


def test_a_promise_that_left_is_taken_back_in_words(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    with time_machine.travel(MORNING, tick=False) as clock:
        send(SAID["a promise"][0].format(code=escalated))
        leaves(context)
        clock.shift(HOLD + timedelta(seconds=1))
        leaves(context)
        send("UNDO")
        assert "not to follow" in outbox(OFFICER)[-1]
        assert any("do NOT follow" in text for text in leaves(context))
        clock.shift(escalation.UNDO_FOR)
        send("UNDO")
        assert "no answer to take back" in outbox(OFFICER)[-1]


@pytest.mark.parametrize("kind", SAID)
def test_words_wait_for_their_echo_to_leave(
    context: Context, send: Send, escalated: str, kind: str
) -> None:
    """Where the day's ceiling of the officer's number, or its network, holds the echo back."""
    with time_machine.travel(MORNING, tick=False) as clock:
        leaves(context)
        for text in SAID[kind]:
            send(text.format(code=escalated))
        leaves(context, hold_back=OFFICER)
        for _ in range(60):
            clock.shift(90)
            assert leaves(context, hold_back=OFFICER) == []
        with context.store.transaction() as session:
            session.execute(
                update(Message)
                .where(Message.kind == "reply", Message.state == "queued")
                .values(state="sent")
            )
        clock.shift(90)
        assert leaves(context)


def test_nothing_is_done_of_which_no_echo_would_come(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    for _ in range(inbox.OFFICERS_REPLIES + 5):
        send("HELP")
    told = len(outbox(OFFICER))
    for text in ("{code} Bury all leaves", "{code} OK blight", "{code} PASS", "OFF", "{code} photo",
                 "swahili"):  # fmt: skip
        send(text.format(code=escalated))
    assert len(outbox(OFFICER)) == told
    assert case_of(context, escalated).state == "escalated"
    with context.store.reading() as session:
        held = session.scalars(select(Escalation)).one()
        assert held.closed_at is None
        own = officers.by_phone(session, OFFICER)
        assert own is not None
        assert (own.on_duty, own.language) == (True, "en")


def test_the_last_reply_of_a_period_says_so_and_nothing_is_done(
    context: Context, send: Send, outbox: Outbox, escalated: str
) -> None:
    while replies(context) < inbox.OFFICERS_REPLIES - 1:
        send("HELP")
    send(f"{escalated} Bury all leaves")
    assert case_of(context, escalated).state == "escalated"
    assert "Bury" not in outbox(OFFICER)[-1]


def replies(context: Context) -> int:
    with context.store.reading() as session:
        return inbox._replies(session, OFFICER)


def test_stop_is_heard_however_many_came(context: Context, send: Send, escalated: str) -> None:
    for _ in range(inbox.OFFICERS_REPLIES + 2):
        send("HELP")
    send("STOP")
    with context.store.reading() as session:
        own = officers.by_phone(session, OFFICER)
        assert own is not None
        assert not own.on_duty
