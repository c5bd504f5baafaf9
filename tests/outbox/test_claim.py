import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.outbox import claim
from gateway.outbox.kinds import POLICY, Kind
from gateway.outbox.network import Money, Outcome, SendResult
from gateway.people import farmers
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Farmer

from .conftest import PHONE, post, read

LEASE = timedelta(minutes=1)
SENT = SendResult(Outcome.SENT, provider_id="ATXid_1")


def take(store: Store, limit: int = 10, at: timedelta = timedelta(0)) -> list[str]:
    with store.transaction() as session:
        return [
            message.key
            for message in claim.claim(session, limit=limit, lease=LEASE, now=now() + at)
        ]


def test_the_most_urgent_and_oldest_goes_first(store: Store) -> None:
    for key, kind in [("r", "reminder"), ("a1", "answer"), ("a2", "answer"), ("e", "escalation")]:
        post(store, key=key, kind=kind)
    assert take(store, limit=3) == ["e", "a1", "a2"]
    assert take(store) == ["r"]
    assert take(store) == []


def test_a_message_is_not_claimed_before_its_time(store: Store) -> None:
    post(store, key="later", not_before=now() + timedelta(hours=1))
    with store.reading() as session:
        assert not claim.due(session, now())
        assert claim.due(session, now() + timedelta(hours=2))
    assert take(store) == []
    assert take(store, at=timedelta(hours=2)) == ["later"]


def test_a_clock_that_jumps_back_holds_no_message(store: Store) -> None:
    post(store, key="k")
    assert take(store, at=timedelta(hours=-1)) == ["k"]


def test_many_senders_claim_each_message_once(store: Store) -> None:
    for number in range(40):
        post(store, key=str(number))
    claimed: list[str] = []
    start = threading.Barrier(6)

    def work() -> None:
        start.wait()
        while keys := take(store, limit=3):
            claimed.extend(keys)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(str(number) for number in range(40))


@pytest.mark.parametrize(
    ("kind", "claimed"),
    [(Kind.REMINDER, False), (Kind.NOTICE, False), (Kind.REPLY, True), (Kind.ANSWER, True)],
)
def test_a_farmer_who_opted_out_gets_only_what_she_asked_for(
    store: Store, kind: Kind, claimed: bool
) -> None:
    with store.transaction() as session:
        farmer = farmers.find_or_create(session, PHONE)
        farmer_id = farmer.id
    message = post(store, key="k", kind=kind, farmer_id=farmer_id)
    with store.transaction() as session:  # after the message was posted
        farmers.opt_out(session, session.get_one(Farmer, farmer_id), by="sms")
    assert take(store) == (["k"] if claimed else [])
    row = read(store, message)
    assert (row.state, row.outcome) == (
        ("sending", None) if claimed else ("cancelled", "opted_out")
    )


def test_what_has_become_useless_is_not_sent(store: Store) -> None:
    message = post(store, kind="reminder")
    assert take(store, at=POLICY[Kind.REMINDER].lifetime + timedelta(seconds=1)) == []
    assert (read(store, message).state, read(store, message).outcome) == ("failed", "expired")


def test_a_sent_message_keeps_its_id_and_cost(store: Store) -> None:
    message = post(store)
    take(store)
    result = SendResult(Outcome.SENT, provider_id="ATXid_1", cost=Money(Decimal("0.8000"), "KES"))
    with store.transaction() as session:
        claim.settle(session, message.id, result, now(), 0.5)
    row = read(store, message)
    assert (row.state, row.provider_id, str(row.cost), row.currency) == (
        "sent",
        "ATXid_1",
        "0.8000",
        "KES",
    )
    assert row.sent_at is not None
    assert row.lease_until is None


@pytest.mark.parametrize("state", ["queued", "delivered", "failed", "cancelled", "sent"])
def test_an_answer_moves_no_message_that_is_somewhere_else(store: Store, state: str) -> None:
    message = post(store)
    with store.transaction() as session:
        session.get_one(type(message), message.id).state = state
    with store.transaction() as session:
        assert claim.settle(session, message.id, SENT, now(), 0.5) is None
    assert read(store, message).state == state


def test_the_network_s_blacklist_is_an_opt_out(store: Store) -> None:
    with store.transaction() as session:
        farmer_id = farmers.find_or_create(session, PHONE).id
    message = post(store, farmer_id=farmer_id)
    take(store)
    with store.transaction() as session:
        refused = SendResult(Outcome.REJECTED, "blacklisted")
        claim.settle(session, message.id, refused, now(), 0.5)
    with store.reading() as session:
        assert session.get_one(Farmer, farmer_id).opted_out_at is not None
    assert read(store, message).state == "failed"
