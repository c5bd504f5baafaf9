"""Repairs: dead senders, fates that stay unknown, reports that name only a number."""

from datetime import timedelta

import pytest

from gateway.outbox import claim, decide, reports
from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.reports import Report
from gateway.outbox.sweep import sweep
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import DeliveryReport, Message

from .conftest import PHONE, post, read

LEASE = timedelta(minutes=1)
MINUTE = timedelta(minutes=1)
OTHER = "+250788000002"


def claimed(store: Store, **options: object) -> Message:
    message = post(store, **options)
    with store.transaction() as session:
        claim.claim(session, limit=1, lease=LEASE, now=now())
    return message


def lost(store: Store, **options: object) -> Message:
    """A message whose answer was lost."""
    message = claimed(store, **options)
    with store.transaction() as session:
        claim.settle(session, message.id, SendResult(Outcome.UNKNOWN, "read_timeout"), now(), 0.5)
    return message


def report(store: Store, provider_id: str, phone: str = PHONE, status: str = "Success") -> None:
    fate = {"Success": "delivered", "Failed": "failed"}.get(status, "")
    with store.transaction() as session:
        reports.receive(session, Report(provider_id, status, fate, phone=phone))  # type: ignore[arg-type]


def later(store: Store, wait: timedelta) -> dict[str, int]:
    with store.transaction() as session:
        return dict(sweep(session, now() + wait))


def test_a_dead_sender_s_message_becomes_unknown_and_is_not_queued(store: Store) -> None:
    message = claimed(store)
    assert later(store, LEASE / 2) == {}
    assert read(store, message).state == "sending"
    assert later(store, LEASE * 2) == {"lease_expired": 1}
    assert (read(store, message).state, read(store, message).outcome) == (
        "unknown",
        "sender_died",
    )


def test_an_answer_after_the_lease_still_counts(store: Store) -> None:
    message = claimed(store)
    later(store, LEASE * 2)
    with store.transaction() as session:
        claim.settle(
            session, message.id, SendResult(Outcome.SENT, provider_id="ATXid_1"), now(), 0.5
        )
    assert read(store, message).state == "sent"


@pytest.mark.parametrize(
    ("status", "state"), [("Success", "delivered"), ("Failed", "failed"), ("Buffered", "sent")]
)
def test_a_report_with_the_number_settles_an_unknown_fate(
    store: Store, status: str, state: str
) -> None:
    message = lost(store)
    report(store, "ATXid_7", status=status)
    assert later(store, MINUTE) == {"fate_reported": 1}
    assert read(store, message).state == state
    assert read(store, message).provider_id == "ATXid_7"


def test_a_report_that_came_while_no_sender_was_there_settles_too(store: Store) -> None:
    message = claimed(store)
    report(store, "ATXid_7")
    found = later(store, timedelta(hours=5))  # nobody swept for hours
    assert found == {"lease_expired": 1, "fate_reported": 1}
    assert read(store, message).state == "delivered"


def test_a_report_for_another_number_settles_nothing(store: Store) -> None:
    message = lost(store)
    report(store, "ATXid_7", phone=OTHER)
    assert later(store, MINUTE) == {}
    assert read(store, message).state == "unknown"


def test_one_report_for_two_lost_messages_is_no_proof_of_either(store: Store) -> None:
    first, second = lost(store), lost(store)
    report(store, "ATXid_7")
    assert later(store, MINUTE) == {}
    report(store, "ATXid_8")
    assert later(store, MINUTE) == {"fate_reported": 2}
    assert read(store, first).state == read(store, second).state == "delivered"


def test_a_report_of_a_message_sent_again_since_settles_no_other(store: Store) -> None:
    first = lost(store)
    later(store, decide.UNKNOWN_FOR + MINUTE)
    with store.transaction() as session:
        claim.claim(session, limit=1, lease=LEASE, now=now() + decide.UNKNOWN_FOR + MINUTE)
        taken = SendResult(Outcome.SENT, provider_id="ATXid_second")
        claim.settle(session, first.id, taken, now(), 0.5)
    other = lost(store)
    report(store, "ATXid_first")  # of the first try of the first message
    assert later(store, MINUTE) == {}
    assert read(store, other).state == "unknown"


def test_more_reports_than_messages_are_no_proof_either(store: Store) -> None:
    message = lost(store)
    for number in range(2):
        report(store, f"ATXid_{number}")
    assert later(store, MINUTE) == {}
    assert read(store, message).state == "unknown"


def test_a_report_waits_while_another_message_to_the_number_is_being_sent(store: Store) -> None:
    unknown = lost(store)
    claimed(store)
    report(store, "ATXid_7")
    later(store, MINUTE / 2)
    assert read(store, unknown).state == "unknown"


def test_a_report_under_a_strange_id_may_be_another_messages(store: Store) -> None:
    unknown, taken = lost(store), claimed(store)
    with store.transaction() as session:
        claim.settle(session, taken.id, SendResult(Outcome.SENT, provider_id="its own"), now(), 0.5)
    report(store, "ATXid_strange")
    assert later(store, MINUTE) == {}
    assert read(store, unknown).state == "unknown"
    report(store, "its own")
    assert later(store, MINUTE) == {"fate_reported": 1}


def test_a_report_from_long_before_the_attempt_settles_nothing(store: Store) -> None:
    report(store, "ATXid_7")
    message = lost(store)
    with store.transaction() as session:
        row = session.get_one(Message, message.id)
        row.not_before += timedelta(hours=1)  # as if it had been tried an hour later
    assert later(store, MINUTE) == {}


def test_without_a_report_an_answer_is_sent_once_more_and_then_a_person_sees_it(
    store: Store,
) -> None:
    message = lost(store, kind="answer")
    wait = decide.UNKNOWN_FOR + MINUTE
    assert later(store, wait) == {"fate_unknown": 1}
    assert read(store, message).state == "queued"
    with store.transaction() as session:
        assert claim.claim(session, limit=1, lease=LEASE, now=now() + wait)
    with store.transaction() as session:
        unknown = SendResult(Outcome.UNKNOWN, "read_timeout")
        claim.settle(session, message.id, unknown, now() + wait, 0.5)
    assert later(store, wait * 3) == {"fate_unknown": 1}
    assert (read(store, message).state, read(store, message).outcome) == (
        "failed",
        "fate_unknown",
    )


def test_a_reminder_is_never_sent_again_after_an_unknown_fate(store: Store) -> None:
    message = lost(store, kind="reminder")
    later(store, decide.UNKNOWN_FOR + MINUTE)
    assert read(store, message).state == "failed"


def test_a_report_that_comes_after_we_gave_up_still_sets_the_record_straight(
    store: Store,
) -> None:
    message = lost(store, kind="reminder")
    later(store, decide.UNKNOWN_FOR + MINUTE)
    report(store, "ATXid_7")
    assert later(store, decide.UNKNOWN_FOR + MINUTE) == {"fate_reported": 1}
    assert read(store, message).state == "delivered"


def test_sweeping_twice_repairs_once(store: Store) -> None:
    claimed(store)
    assert later(store, LEASE * 2) == {"lease_expired": 1}
    assert later(store, LEASE * 2) == {}


def test_a_report_and_an_answer_in_the_same_moment_find_each_other(store: Store) -> None:
    message = claimed(store)
    with store.transaction() as session:  # as two transactions that did not see each other
        row = session.get_one(Message, message.id)
        row.state, row.provider_id, row.lease_until = "sent", "ATXid_7", None
        session.add(
            DeliveryReport(provider_id="ATXid_7", status="Success", reason="", fate="delivered")
        )
    assert later(store, MINUTE) == {"report_missed": 1}
    assert read(store, message).state == "delivered"
    assert later(store, MINUTE) == {}
