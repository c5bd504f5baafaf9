from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from gateway.outbox import reports, trouble
from gateway.outbox.kinds import Kind
from gateway.outbox.trouble import ENOUGH, FAILED, LATEST, SILENT, Failed, judge
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Incident, Message

from .conftest import post

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("failed", "due", "causes"),
    [
        ([], [], set()),
        ([Failed(Kind.ANSWER, "expired")], [], {FAILED}),
        ([Failed(Kind.ANSWER, None)], [], {FAILED}),
        ([Failed(Kind.ESCALATION, "fate_unknown")], [], {FAILED}),
        ([Failed(Kind.REMINDER, "expired")], [], set()),
        ([Failed(Kind.REMINDER, "unreadable")], [], {FAILED}),
        ([Failed("from_tomorrow", "unknown_kind")], [], {FAILED}),
        ([Failed("from_tomorrow", "expired")], [], {FAILED}),
        ([Failed(Kind.ANSWER, "no_such_number")], [], set()),
        ([Failed(Kind.ANSWER, "resent")], [], set()),
        ([], ["sent"] * ENOUGH, {SILENT}),
        ([], ["sent"] * (ENOUGH - 1), set()),
        ([], ["sent"] * ENOUGH + ["delivered"], set()),
    ],
)
def test_what_the_latest_messages_say(
    failed: list[Failed], due: list[str], causes: set[str]
) -> None:
    said = judge(failed, due, reports_come=True)
    assert {cause for cause, detail in said.items() if detail} == causes


def test_what_failed_is_counted() -> None:
    failed = [Failed(Kind.ANSWER, "expired", 3), Failed(Kind.ESCALATION, "fate_unknown", 2)]
    said = judge(failed, [], reports_come=True)[FAILED]
    assert said == "5 answers or escalations within an hour: expired, fate_unknown"


def test_a_network_that_never_reports_is_no_incident() -> None:
    assert not any(judge([], ["sent"] * ENOUGH, reports_come=False).values())


def many(store: Store, count: int, **values: object) -> None:
    """So many messages that are newer than all others."""
    row = {"direction": "out", "address": "+250788000001", "address_digest": "x", "kind": "notice"}
    with store.transaction() as session:
        rows = [{"key": f"many:{n}", "state": "queued", **row, **values} for n in range(count)]
        session.execute(insert(Message), rows)


def causes(store: Store) -> list[str]:
    with store.transaction() as session:
        trouble.watch(session, now())
    with store.reading() as session:
        return list(session.scalars(select(Incident.cause).where(Incident.closed_at.is_(None))))


def test_a_failure_is_seen_behind_a_broadcast(store: Store) -> None:
    message = post(store)
    with store.transaction() as session:
        row = session.get_one(Message, message.id)
        row.state, row.outcome, row.final_at = "failed", "fate_unknown", now()
    many(store, LATEST + 1)
    assert causes(store) == [FAILED]


@pytest.mark.parametrize(("ago", "state", "silent"), [
    (HOUR * 2, "sent", True), (HOUR / 2, "sent", False), (HOUR * 2, "delivered", False),
])  # fmt: skip
def test_silence_is_noticed_behind_messages_that_have_not_left(
    store: Store, ago: timedelta, state: str, silent: bool
) -> None:
    with store.transaction() as session:
        reports.receive(session, reports.Report("ATXid_0", "Success", "delivered"))
    for number in range(ENOUGH):
        message = post(store, key=f"sent:{number}")
        with store.transaction() as session:
            row = session.get_one(Message, message.id)
            row.state, row.sent_at = state, now() - ago
    many(store, LATEST + 1)
    assert causes(store) == ([SILENT] if silent else [])


def test_an_incident_opens_once_and_closes_by_itself(store: Store) -> None:
    message = post(store)
    with store.transaction() as session:
        row = session.get_one(Message, message.id)
        row.state, row.outcome, row.final_at = "failed", "expired", now()
    for _ in range(3):
        with store.transaction() as session:
            trouble.watch(session, now())
    with store.reading() as session:
        incident = session.scalars(select(Incident)).one()
        assert (incident.cause, incident.closed_at, incident.count) == (FAILED, None, 1)
    with store.transaction() as session:
        trouble.watch(session, now() + HOUR * 2)
    with store.reading() as session:
        assert session.scalars(select(Incident)).one().closed_at is not None
