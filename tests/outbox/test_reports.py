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
FAILED = Report(ID, "Failed", "failed", reason="delivery_failure", phone=PHONE)
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
        ([FAILED], "failed", "delivery_failure"),
        ([FAILED, SUCCESS], "failed", "delivery_failure"),
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
    assert (row.final_at is not None) == (state != "sent")


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


def test_a_blacklisted_farmer_is_opted_out(store: Store) -> None:
    with store.transaction() as session:
        farmer_id = farmers.find_or_create(session, PHONE).id
    message = sending(store, farmer_id=farmer_id)
    answer(store, message)
    report(store, Report(ID, "Failed", "failed", reason="blacklisted", phone=PHONE))
    with store.reading() as session:
        assert session.get_one(Farmer, farmer_id).opted_out_at is not None
