"""Which provider a message goes out by: the rules as tables, on real stores, and with senders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.context import Context
from gateway.outbox import claim, reports
from gateway.outbox.fallback import Share, Standing, carrier, share
from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.pause import Pause
from gateway.outbox.reports import Report
from gateway.outbox.sweep import sweep
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Incident, Message
from rig.house import wait_until

from .conftest import PHONE, Carrier, post, read
from .test_sender import SOON, running

UP, TRYING = Standing(), Standing(resting=False, down_for=900.0)
DOWN, LONG_DOWN = Standing(resting=True, down_for=10.0), Standing(resting=True, down_for=300.0)
LEASE = timedelta(minutes=1)
FIRST, SECOND = "africastalking", "http_gateway"
NAMES = (FIRST, SECOND, "third")


@pytest.mark.parametrize(
    ("order", "place"),
    [
        ([UP], 0),
        ([LONG_DOWN], 0),
        ([UP, UP], 0),
        ([UP, LONG_DOWN], 0),
        ([DOWN, UP], 0),
        ([LONG_DOWN, UP], 1),
        ([TRYING, UP], 0),
        ([LONG_DOWN, DOWN, UP], 1),
        ([LONG_DOWN, LONG_DOWN, UP], 2),
        ([LONG_DOWN, TRYING, UP], 1),
        ([LONG_DOWN, LONG_DOWN], 0),
    ],
)
def test_messages_go_by_the_first_that_is_not_down_for_long(
    order: Sequence[Standing], place: int
) -> None:
    assert carrier(order, after=300.0) == place


@pytest.mark.parametrize("order", [[LONG_DOWN, UP, UP], [UP, DOWN, LONG_DOWN], [LONG_DOWN] * 3])
def test_at_any_time_one_provider_takes_what_is_fresh(order: Sequence[Standing]) -> None:
    shares = [share(NAMES, place, order, 300.0) for place in range(3)]
    assert [one.provider for one in shares] == list(NAMES)
    assert sum(one.fresh for one in shares) == 1
    assert [one.strangers for one in shares] == [True, False, False]


def test_a_pause_tells_since_when_its_channel_is_down() -> None:
    pause, down = Pause(), SendResult(Outcome.CHANNEL_DOWN, "no_credit")
    assert pause.standing(5.0) == Standing()
    pause.note(down, at=10.0)
    assert pause.standing(15.0) == Standing(resting=True, down_for=5.0)
    pause.note(down, at=40.0)  # after the first rest of 30 s
    assert pause.standing(60.0) == Standing(resting=True, down_for=50.0)
    assert not pause.standing(101.0).resting
    pause.note(SendResult(Outcome.SENT), at=101.0)
    assert pause.standing(102.0) == Standing()


RESENT = {"resent_at": now()}
FRESH_BY_SECOND = Share(SECOND, NAMES, fresh=True, strangers=False)
PINNED_OF_SECOND = Share(SECOND, NAMES, fresh=False, strangers=False)
ALL_OF_FIRST = Share(FIRST, NAMES)


@pytest.mark.parametrize(
    ("columns", "share_", "taken"),
    [
        ({}, FRESH_BY_SECOND, True),
        ({"provider": FIRST, "outcome": "no_credit"}, FRESH_BY_SECOND, True),
        ({"provider": FIRST, "outcome": "provider_error", "attempts": 2}, FRESH_BY_SECOND, True),
        ({"provider": FIRST, "outcome": "resent"} | RESENT, FRESH_BY_SECOND, False),
        ({"provider": FIRST, "outcome": "delivery_failure"} | RESENT, FRESH_BY_SECOND, False),
        ({"provider": FIRST, "state": "unknown"}, FRESH_BY_SECOND, False),
        ({"provider": FIRST, "state": "sending"}, FRESH_BY_SECOND, False),
        ({"provider": SECOND, "outcome": "resent"} | RESENT, PINNED_OF_SECOND, True),
        ({}, PINNED_OF_SECOND, False),
        ({"provider": SECOND, "outcome": "resent"} | RESENT, ALL_OF_FIRST, False),
        ({"provider": FIRST, "outcome": "resent"} | RESENT, ALL_OF_FIRST, True),
        ({"provider": "gone", "outcome": "resent"} | RESENT, ALL_OF_FIRST, True),
        ({"provider": "gone", "outcome": "resent"} | RESENT, FRESH_BY_SECOND, False),
    ],
)
def test_what_one_provider_has_perhaps_had_goes_by_no_other(
    store: Store, columns: dict[str, object], share_: Share, taken: bool
) -> None:
    message = post(store)
    with store.transaction() as session:
        row = session.get_one(Message, message.id)
        for name, value in columns.items():
            setattr(row, name, value)
    with store.transaction() as session:
        assert claim.due(session, now(), share_) is taken
        claimed = claim.claim(session, limit=9, lease=LEASE, now=now(), share=share_)
    assert [row.id for row in claimed] == [message.id] * taken
    if taken:
        assert read(store, message).provider == share_.provider


def answered(store: Store, provider: str, result: SendResult) -> Message:
    message = post(store)
    with store.transaction() as session:
        claim.claim(session, limit=1, lease=LEASE, now=now(), share=Share(provider, NAMES))
        claim.settle(session, message.id, result, now(), 0.5)
    return read(store, message)


def report(store: Store, provider: str) -> None:
    with store.transaction() as session:
        reports.receive(
            session, Report("7", "Success", "delivered", phone=PHONE, provider=provider)
        )


def test_a_report_acts_within_its_provider_alone(store: Store) -> None:
    """Two providers gave the same id, to messages to the same number."""
    taken = SendResult(Outcome.SENT, provider_id="7")
    one, other = answered(store, FIRST, taken), answered(store, SECOND, taken)
    report(store, SECOND)
    assert (read(store, one).state, read(store, other).state) == ("sent", "delivered")
    report(store, FIRST)
    assert (read(store, one).state, read(store, other).state) == ("delivered", "delivered")


def test_a_report_that_came_before_the_answer_finds_its_own(store: Store) -> None:
    report(store, SECOND)
    taken = SendResult(Outcome.SENT, provider_id="7")
    assert answered(store, FIRST, taken).state == "sent"
    assert answered(store, SECOND, taken).state == "delivered"


def test_an_unknown_fate_is_settled_by_reports_of_its_provider_alone(store: Store) -> None:
    lost = answered(store, FIRST, SendResult(Outcome.UNKNOWN, "read_timeout"))
    report(store, SECOND)
    with store.transaction() as session:
        sweep(session, now())
    assert read(store, lost).state == "unknown"
    report(store, FIRST)
    with store.transaction() as session:
        assert sweep(session, now()) == {"fate_reported": 1}
    assert read(store, lost).state == "delivered"


@pytest.mark.parametrize("minutes", [0, 11, 300])
def test_an_id_of_ours_settles_an_unknown_fate_however_late(store: Store, minutes: int) -> None:
    lost = answered(store, SECOND, SendResult(Outcome.UNKNOWN, "read_timeout", provider_id="7"))
    later = now() + timedelta(minutes=minutes)
    with store.transaction() as session:
        sweep(session, later)  # after ten minutes it is queued to go once more
    report(store, SECOND)
    assert read(store, lost).state == "delivered"


def test_incidents_of_providers_are_apart(any_context: Context) -> None:
    """The first has no credit, the second neither; then the first has some again."""
    no_credit = SendResult(Outcome.CHANNEL_DOWN, "no_credit")
    scripts: list[tuple[str, list[SendResult]]] = [
        (FIRST, [no_credit]), (SECOND, [no_credit]), (FIRST, []),
    ]  # fmt: skip
    for name, script in scripts:
        one = Carrier(name)
        one.script = [*script] * 20
        post(any_context.store)
        with running(any_context, one):
            one.calls.get(timeout=SOON)
    with any_context.store.reading() as session:
        query = select(Incident.cause, Incident.closed_at)
        causes = {row.cause: row.closed_at for row in session.execute(query)}
    assert set(causes) == {"channel:no_credit", f"channel:{SECOND}:no_credit"}
    assert [cause for cause, closed in causes.items() if closed is None] == [
        f"channel:{SECOND}:no_credit"
    ]


def test_messages_leave_by_the_second_while_the_first_is_down(any_context: Context) -> None:
    """What the first perhaps has waits for it; when it is back, it has its turn again."""
    first, second = Carrier(FIRST), Carrier(SECOND)
    down = SendResult(Outcome.CHANNEL_DOWN, "wrong_key")
    first.script = [SendResult(Outcome.UNKNOWN, "read_timeout"), *[down] * 20]
    settings = any_context.settings.model_copy(update={"fallback_after": 0.0})
    context = replace(any_context, settings=settings)
    with running(context, first, second):
        lost = post(context.store, "lost")
        first.calls.get(timeout=SOON)
        wait_until(lambda: read(context.store, lost).state == "unknown", "the answer to be lost")
        others = [post(context.store, f"text {number}") for number in range(5)]
        texts = {second.calls.get(timeout=SOON)[1] for _ in others}
    assert texts == {f"text {number}" for number in range(5)}
    rows = [read(context.store, message) for message in others]
    assert {(row.state, row.provider) for row in rows} == {("sent", SECOND)}
    assert read(context.store, lost).state == "unknown"

    with context.store.transaction() as session:  # no report came: it may go once more
        sweep(session, now() + timedelta(minutes=11))
        session.get_one(Message, lost.id).not_before = now()
    again = Carrier(FIRST)
    with running(context, again, second):
        assert again.calls.get(timeout=SOON)[1] == "lost"
    row = read(context.store, lost)
    assert (row.state, row.provider) == ("sent", FIRST)
    assert second.calls.empty()


def test_before_the_time_is_up_messages_wait_for_the_first(any_context: Context) -> None:
    first, second = Carrier(FIRST), Carrier(SECOND)
    first.script = [SendResult(Outcome.CHANNEL_DOWN, "no_credit")]
    message = post(any_context.store)
    with running(any_context, first, second):
        first.calls.get(timeout=SOON)
        wait_until(lambda: read(any_context.store, message).outcome == "no_credit", "a rest")
    assert read(any_context.store, message).state == "queued"
    assert second.calls.empty()
