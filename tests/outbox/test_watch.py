from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from gateway.outbox import watch
from gateway.outbox.kinds import Kind
from gateway.outbox.watch import ENOUGH, FAILED, SILENT, Seen, judge
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Incident, Message

from .conftest import post

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def failed(outcome: str, kind: str = Kind.ANSWER, ago: timedelta = HOUR / 2) -> Seen:
    return Seen(kind, "failed", outcome, None, NOW - ago)


def sent(state: str = "sent", ago: timedelta = HOUR * 2) -> Seen:
    return Seen(Kind.ANSWER, state, None, NOW - ago, None)


@pytest.mark.parametrize(
    ("latest", "causes"),
    [
        ([], set()),
        ([failed("expired")], {FAILED}),
        ([failed("fate_unknown", Kind.ESCALATION)], {FAILED}),
        ([failed("expired", Kind.REMINDER)], set()),
        ([failed("unreadable", Kind.REMINDER)], {FAILED}),
        ([failed("unknown_kind", "from_tomorrow")], {FAILED}),
        ([failed("expired", "from_tomorrow")], {FAILED}),
        ([failed("no_such_number")], set()),
        ([failed("resent")], set()),
        ([failed("expired", ago=HOUR * 2)], set()),
        ([sent()] * ENOUGH, {SILENT}),
        ([sent()] * (ENOUGH - 1), set()),
        ([sent()] * ENOUGH + [sent("delivered")], set()),
        ([sent(ago=HOUR / 2)] * ENOUGH, set()),
    ],
)
def test_what_the_latest_messages_say(latest: list[Seen], causes: set[str]) -> None:
    assert {
        cause for cause, detail in judge(latest, NOW, reports_come=True).items() if detail
    } == causes


def test_a_network_that_never_reports_is_no_incident() -> None:
    assert not any(judge([sent()] * ENOUGH, NOW, reports_come=False).values())


def test_an_incident_opens_once_and_closes_by_itself(store: Store) -> None:
    message = post(store)
    with store.transaction() as session:
        row = session.get_one(Message, message.id)
        row.state, row.outcome, row.final_at = "failed", "expired", now()
    for _ in range(3):
        with store.transaction() as session:
            watch.watch(session, now())
    with store.reading() as session:
        incident = session.scalars(select(Incident)).one()
        assert (incident.cause, incident.closed_at, incident.count) == (FAILED, None, 1)
    with store.transaction() as session:
        watch.watch(session, now() + HOUR * 2)
    with store.reading() as session:
        assert session.scalars(select(Incident)).one().closed_at is not None
