"""Delivery reports: in order, out of order, twice, early, late, strange."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from gateway.outbox import claim, reports
from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.reports import Report
from gateway.people import farmers
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import DeliveryReport, Farmer, Message

from .conftest import PHONE, post, read

ID = "ATXid_1"
SUCCESS = Report(ID, "Success", "delivered", phone=PHONE)
BUFFERED = Report(ID, "Buffered", phone=PHONE)
STRANGE = Report(ID, "Teleported", phone=PHONE)
FAILED = Report(ID, "Failed", "failed", reason="no_such_number", phone=PHONE)
PASSING = Report(ID, "Failed", "failed", reason="delivery_failure", phone=PHONE)
QUIET = Report(ID, "Failed", "failed", reason="do_not_disturb", phone=PHONE)
ABSENT = Report(ID, "AbsentSubscriber", "absent", phone=PHONE)
SENT = SendResult(Outcome.SENT, provider_id=ID)


def sending(store: Store, **options: object) -> Message:
    message = post(store, **options)
    with store.transaction() as session:
        claim.claim(session, limit=1, lease=timedelta(minutes=1), now=now())
    return message


def answer(store: Store, message: Message, result: SendResult = SENT) -> None:
    with store.transaction() as session:
        claim.settle(session, message.id, result, now(), 0.5)


def report(store: Store, *told: Report) -> None:
    for one in told:
        with store.transaction() as session:
            reports.receive(session, one)


@pytest.mark.parametrize(
    ("told", "state", "outcome"),
    [
        ([SUCCESS], "delivered", None),
        ([SUCCESS, SUCCESS], "delivered", None),
        ([BUFFERED], "sent", None),
        ([STRANGE], "sent", None),
        ([BUFFERED, SUCCESS], "delivered", None),
        ([SUCCESS, BUFFERED], "delivered", None),
        ([SUCCESS, FAILED], "delivered", None),
        ([FAILED], "failed", "no_such_number"),
        ([FAILED, SUCCESS], "failed", "no_such_number"),
        ([PASSING], "queued", "delivery_failure"),
        ([PASSING, PASSING], "queued", "delivery_failure"),
        ([QUIET], "queued", "do_not_disturb"),
        ([ABSENT], "failed", "absent"),
        ([ABSENT, SUCCESS], "delivered", None),
        ([ABSENT, BUFFERED], "failed", "absent"),
    ],
)
@pytest.mark.parametrize("early", [False, True], ids=["after the answer", "before the answer"])
def test_reports_decide_the_fate(
    store: Store, told: list[Report], state: str, outcome: str | None, early: bool
) -> None:
    message = sending(store)
    if early:
        report(store, *told)
        assert read(store, message).state == "sending"
        answer(store, message)
    else:
        answer(store, message)
        report(store, *told)
    row = read(store, message)
    assert (row.state, row.outcome) == (state, outcome)
    assert (row.final_at is not None) == (state in ("delivered", "failed"))


def send_again(store: Store, message: Message, provider_id: str) -> None:
    """The wait is over: the message is claimed and taken again."""
    with store.transaction() as session:
        session.get_one(Message, message.id).not_before = now()
        assert claim.claim(session, limit=1, lease=timedelta(minutes=1), now=now())
    answer(store, message, SendResult(Outcome.SENT, provider_id=provider_id))


def test_what_could_not_be_delivered_just_then_goes_once_more(store: Store) -> None:
    message = sending(store)
    answer(store, message)
    report(store, PASSING)
    assert timedelta(minutes=20) < read(store, message).not_before - now() < timedelta(hours=1)
    send_again(store, message, "ATXid_2")
    report(store, Report("ATXid_2", "Failed", "failed", reason="delivery_failure"))
    row = read(store, message)
    assert (row.state, row.outcome) == ("failed", "delivery_failure")
    assert row.final_at is not None


def test_a_second_delivery_counts(store: Store) -> None:
    message = sending(store)
    answer(store, message)
    report(store, QUIET)
    send_again(store, message, "ATXid_2")
    report(store, Report("ATXid_2", "Success", "delivered"))
    assert (read(store, message).state, read(store, message).outcome) == ("delivered", None)


def test_what_came_after_all_is_not_sent_again(store: Store) -> None:
    message = sending(store)
    answer(store, message)
    report(store, PASSING, SUCCESS, PASSING)
    assert (read(store, message).state, read(store, message).outcome) == ("delivered", None)
    with store.transaction() as session:
        later = now() + timedelta(days=1)
        assert not claim.claim(session, limit=1, lease=timedelta(minutes=1), now=later)


def test_the_first_copy_comes_while_the_second_is_on_its_way(store: Store) -> None:
    message = sending(store)
    answer(store, message)
    report(store, PASSING)
    with store.transaction() as session:
        session.get_one(Message, message.id).not_before = now()
        claim.claim(session, limit=1, lease=timedelta(minutes=1), now=now())
    report(store, SUCCESS)
    answer(store, message, SendResult(Outcome.RETRYABLE, "server_error"))
    assert read(store, message).state == "delivered"


def test_the_first_copy_comes_after_the_second_left(store: Store) -> None:
    message = sending(store)
    answer(store, message)
    report(store, PASSING)
    send_again(store, message, "ATXid_2")
    report(store, Report(ID, "Rejected", "failed", reason="other", phone=PHONE))
    assert read(store, message).state == "sent"
    report(store, SUCCESS)
    assert read(store, message).state == "delivered"
    report(store, Report("ATXid_2", "Failed", "failed", reason="no_such_number"))
    assert read(store, message).state == "delivered"


@pytest.mark.parametrize(
    ("state", "outcome", "after"),
    [
        ("cancelled", "opted_out", "delivered"),
        ("failed", "fate_unknown", "delivered"),
        ("failed", "expired", "delivered"),
        ("failed", "resent", "failed"),
        ("failed", "no_such_number", "failed"),
    ],
)
def test_what_was_given_up_may_have_come(
    store: Store, state: str, outcome: str, after: str
) -> None:
    message = sending(store)
    answer(store, message)
    with store.transaction() as session:
        row = session.get_one(Message, message.id)
        row.state, row.outcome = state, outcome
    report(store, SUCCESS)
    assert read(store, message).state == after


def test_a_report_for_what_never_left_moves_nothing(store: Store) -> None:
    message = post(store)
    report(store, SUCCESS)
    assert read(store, message).state == "queued"


@pytest.mark.parametrize("kind", ["reply", "notice", "reminder"])
def test_what_is_of_use_only_at_once_is_not_sent_again(store: Store, kind: str) -> None:
    message = sending(store, kind=kind)
    answer(store, message)
    report(store, PASSING)
    assert read(store, message).state == "failed"


def test_a_report_is_kept_once(store: Store) -> None:
    answer(store, sending(store))
    report(store, SUCCESS, SUCCESS, BUFFERED, BUFFERED)
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(DeliveryReport)) == 2


def test_a_report_for_nobody_is_kept_and_moves_nothing(store: Store) -> None:
    message = sending(store)
    answer(store, message)
    report(store, Report("ATXid_other", "Success", "delivered", phone=PHONE))
    assert read(store, message).state == "sent"
    with store.reading() as session:
        kept = session.scalars(select(DeliveryReport)).one()
        assert kept.message_id is None


def test_a_blacklisted_reply_is_an_opt_out_too(store: Store) -> None:
    """A reply is written to a number, not to a farmer."""
    with store.transaction() as session:
        farmers.find_or_create(session, PHONE)
    answer(store, sending(store))
    report(store, Report(ID, "Failed", "failed", reason="blacklisted", phone=PHONE))
    with store.reading() as session:
        farmer = farmers.find(session, PHONE)
    assert farmer is not None
    assert farmer.opted_out_at is not None


def test_a_blacklisted_farmer_is_opted_out(store: Store) -> None:
    with store.transaction() as session:
        farmer_id = farmers.find_or_create(session, PHONE).id
    message = sending(store, farmer_id=farmer_id)
    answer(store, message)
    report(store, Report(ID, "Failed", "failed", reason="blacklisted", phone=PHONE))
    with store.reading() as session:
        assert session.get_one(Farmer, farmer_id).opted_out_at is not None
