from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from gateway.cases.case import open_case
from gateway.outbox import claim, depth, money
from gateway.outbox.money import Limits, abroad, calling_codes, dear, over
from gateway.outbox.network import Money, Outcome, SendResult
from gateway.people import farmers, hours, kiosks, officers
from gateway.privacy import erasure
from gateway.settings import Settings
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Escalation, Incident, Message
from gateway.store.photos import open_photos

from .conftest import PHONE, post, read

LEASE = timedelta(minutes=1)
OTHER = "+250788000002"
OFFICER = "+250788000009"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "parts", "most", "spent", "expected"),
    [
        ("answer", 1, {"number:a": 4}, {}, ""),
        ("answer", 1, {"number:a": 4}, {"number:a": 3}, ""),
        ("answer", 1, {"number:a": 4}, {"number:a": 4}, "number:a"),
        ("escalation", 1, {"kiosk:1": 4}, {"kiosk:1": 4}, "kiosk:1"),
        ("escalation", 1, {"kiosk:1": 4}, {"kiosk:1": 3}, ""),
        # A half is kept for answers and escalations.
        ("reply", 1, {"service": 4}, {"service": 1}, ""),
        ("reply", 1, {"service": 4}, {"service": 2}, "service"),
        ("notice", 1, {"service": 5}, {"service": 2}, "service"),
        ("reminder", 1, {"service": 4}, {"service": 3}, "service"),
        ("answer", 1, {"service": 4}, {"service": 2}, ""),
        # The first that has no room is named.
        ("answer", 1, {"number:a": 9, "district:x": 2}, {"district:x": 2}, "district:x"),
        # No ceiling.
        ("reply", 9, {"number:a": 0}, {"number:a": 10**6}, ""),
        # Parts count, and a message of more than a whole ceiling goes alone.
        ("answer", 3, {"number:a": 4}, {"number:a": 2}, "number:a"),
        ("answer", 7, {"number:a": 4}, {}, ""),
        ("reply", 1, {"number:a": 1}, {}, ""),
        ("reply", 1, {"number:a": 1}, {"number:a": 1}, "number:a"),
    ],
)
def test_whether_a_message_finds_room_today(
    kind: str, parts: int, most: dict[str, int], spent: dict[str, int], expected: str
) -> None:
    assert over(kind, parts, most, spent) == expected


@pytest.mark.parametrize(
    ("kind", "spent", "expected"),
    [("answer", "99.9", False), ("answer", "100", True), ("reply", "49", False),
     ("reply", "50", True), ("escalation", "50", False)],
)  # fmt: skip
def test_whether_the_money_of_the_day_is_spent(kind: str, spent: str, expected: bool) -> None:
    assert dear(kind, Decimal(100), Decimal(spent)) is expected


@pytest.mark.parametrize(
    ("phone", "expected"),
    [("+250788000001", False), ("+254712345678", False), ("+18005551212", True),
     ("+2348021234567", True), ("+250", False), ("+25", True), ("+88216123456", True)],
)  # fmt: skip
def test_countries_to_which_we_send(phone: str, expected: bool) -> None:
    assert abroad(phone, calling_codes(("RW", "KE"))) is expected


def test_a_new_day_begins_at_midnight_of_the_country() -> None:
    limits = Limits(zone=hours.zone_of("RW"))
    late = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)  # half past midnight in Kigali
    assert limits.day(NOON) != limits.day(late)
    assert limits.next_day(NOON) == datetime(2026, 3, 2, 22, tzinfo=UTC)


def test_the_settings_hold_a_ceiling_for_each(context_settings: Settings) -> None:
    limits = Limits.of(context_settings)
    assert min(limits.number, limits.officer, limits.kiosk, limits.district, limits.service) > 0
    assert limits.codes == {"+250", "+256", "+254", "+255"}
    assert limits.cost is None


@pytest.fixture
def context_settings() -> Settings:
    return Settings.read()


def take(store: Store, limits: Limits, at: timedelta = timedelta(0)) -> list[str]:
    """Claim all that can be; what is claimed counts as sent."""
    taken = []
    while True:
        with store.transaction() as session:
            moment = now() + at
            found = claim.claim(session, limit=50, lease=LEASE, now=moment, limits=limits)
            for message in found:
                result = SendResult(Outcome.SENT, provider_id=f"id-{message.id}")
                claim.settle(session, message.id, result, moment, 0.0, limits)
            if not found:
                return taken
            taken += [message.key for message in found]


def causes(store: Store, limits: Limits) -> set[str]:
    with store.transaction() as session:
        money.watch(session, limits, now())
    with store.reading() as session:
        return set(session.scalars(select(Incident.cause).where(Incident.closed_at.is_(None))))


def test_what_goes_over_waits_for_the_next_day_and_is_seen(store: Store) -> None:
    limits = Limits(number=4)
    for index in range(6):
        post(store, key=f"r{index}", kind="reply")
    post(store, key="a", kind="answer")
    post(store, key="other", kind="reply", to=OTHER)
    assert sorted(take(store, limits)) == ["a", "other", "r0"]  # the answer goes first, and counts
    with store.reading() as session:
        assert depth(session) == 0  # what waits closes no door
    assert causes(store, limits) == {"money:number"}
    raised = Limits(number=40)
    with store.transaction() as session:
        assert money.release(session, now()) == 0  # its time has not come
        assert money.release(session, now(), all_=True) == 5  # a sender starts
    assert len(take(store, raised)) == 5
    assert causes(store, raised) == set()


def test_what_becomes_too_old_while_it_waits_expires(store: Store) -> None:
    limits = Limits(number=1)
    post(store, key="first", kind="reply")
    late = post(store, key="late", kind="reply")
    long = post(store, key="long", kind="answer")
    assert take(store, limits) == ["long"]
    assert read(store, late).state == "held"
    day = timedelta(hours=30)
    with store.transaction() as session:
        money.release(session, now() + day)
    assert take(store, limits, at=day) == []
    assert (read(store, late).state, read(store, late).outcome) == ("failed", "expired")
    assert read(store, long).state == "sent"


def test_a_loop_of_requests_and_erasures_is_bounded(store: Store, tmp_path: object) -> None:
    limits = Limits(number=6, officer=100)
    photos = open_photos("", tmp_path, store.vault)  # type: ignore[arg-type]
    with store.transaction() as session:
        officer, _ = officers.add(session, OFFICER, "Officer", "*", ["en"])
        officer_id = officer.id
    went = 0
    for turn in range(10):
        with store.transaction() as session:
            farmer = farmers.find_or_create(session, PHONE)
            case = open_case(session, farmer, source="ussd", crop="maize")
            case_id, farmer_id = case.id, farmer.id
        post(store, key=f"o{turn}", kind="escalation", to=OFFICER, officer_id=officer_id,
             case_id=case_id)  # fmt: skip
        post(store, key=f"f{turn}", kind="reply", farmer_id=farmer_id, case_id=case_id)
        went += len(take(store, limits))
        erasure.erase(store, photos, PHONE, by="ussd")
        post(store, key=f"gone{turn}", kind="reply")
        went += len(take(store, limits))
    assert went <= 6


def test_kiosk_district_service_and_officers_have_ceilings_too(store: Store) -> None:
    with store.transaction() as session:
        kiosk, _ = kiosks.add(session, "Muhazi", "Rwamagana/Muhazi")
        cases = []
        for index in range(4):
            farmer = farmers.find_or_create(session, f"+25078800010{index}")
            case = open_case(session, farmer, source="kiosk", crop="maize", kiosk_id=kiosk.id,
                             area="RWAMAGANA / Other")  # fmt: skip
            cases.append((farmer.phone, farmer.id, case.id))
    for index, (phone, farmer_id, case_id) in enumerate(cases):
        post(store, key=f"a{index}", to=phone, farmer_id=farmer_id, case_id=case_id)
    assert len(take(store, Limits(kiosk=1))) == 1
    assert causes(store, Limits()) == {f"money:kiosk:{kiosk.id}"}
    for limits, cause, more in (
        (Limits(district=2), "money:district:rwamagana", 1),
        (Limits(service=3), "money:service", 1),
    ):
        with store.transaction() as session:
            money.release(session, now(), all_=True)
        assert len(take(store, limits)) == more
        assert causes(store, limits) == {cause}


def test_the_operator_hears_of_it_beyond_the_ceiling(store: Store) -> None:
    limits = Limits(service=1, officer=9, operator=OFFICER)
    post(store, key="a")
    assert take(store, limits) == ["a"]
    post(store, key="b", to=OTHER)
    post(store, key="incident", to=OFFICER, kind="escalation")
    assert take(store, limits) == ["incident"]


def test_what_the_network_does_not_take_is_not_counted(store: Store) -> None:
    limits = Limits(number=2)
    for _ in range(5):
        message = post(store)
        with store.transaction() as session:
            (taken,) = claim.claim(session, limit=1, lease=LEASE, now=now(), limits=limits)
            refused = SendResult(Outcome.REJECTED, "invalid_number")
            claim.settle(session, taken.id, refused, now(), 0.0, limits)
        assert read(store, message).outcome == "invalid_number"
    post(store, key="taken")
    assert take(store, limits) == ["taken"]


def test_money_spent_holds_what_comes_after(store: Store) -> None:
    limits = Limits(cost=Money(Decimal(20), "RWF"))
    message = post(store)
    with store.transaction() as session:
        claim.claim(session, limit=1, lease=LEASE, now=now(), limits=limits)
        paid = SendResult(Outcome.SENT, provider_id="x", cost=Money(Decimal(20), "RWF"))
        claim.settle(session, message.id, paid, now(), 0.0, limits)
    held = post(store, to=OTHER)
    assert take(store, limits) == []
    assert (read(store, held).state, read(store, held).outcome) == ("held", "money:cost")


def test_a_number_of_another_country_is_refused_by_name(store: Store) -> None:
    limits = Limits(codes=calling_codes(("RW",)), operator="+4915112345678")
    far = post(store, to="+8801712345678")
    post(store, key="operator", to="+4915112345678", kind="escalation")
    assert take(store, limits) == ["operator"]
    assert (read(store, far).state, read(store, far).outcome) == ("failed", "country")


@pytest.mark.parametrize("asked", [False, True])
def test_after_stop_an_upload_causes_no_sms(store: Store, asked: bool) -> None:
    with store.transaction() as session:
        kiosk, _ = kiosks.add(session, "Muhazi", "Rwamagana")
        farmer = farmers.find_or_create(session, PHONE)
        farmers.opt_out(session, farmer, by="sms")
        case = open_case(session, farmer, source="kiosk", crop="maize", kiosk_id=kiosk.id)
        if asked:  # on her own phone
            session.add(Escalation(case_id=case.id, reason="farmer_asks"))
        ids = {"farmer_id": farmer.id, "case_id": case.id}
    message = post(store, key="answer", **ids)
    assert take(store, Limits()) == (["answer"] if asked else [])
    row = read(store, message)
    assert row.outcome == (None if asked else "opted_out")
    assert row.text == "hello"  # the kiosk reads it out


def test_many_claims_at_once_stay_under_the_ceiling(store: Store) -> None:
    limits = Limits(service=10)
    for index in range(30):
        post(store, key=str(index), to=f"+2507880001{index:02}")
    taken: list[str] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        while True:
            with store.transaction() as session:
                found = claim.claim(session, limit=3, lease=LEASE, now=now(), limits=limits)
                if not found and not claim.due(session, now()):
                    return
            taken.extend(message.key for message in found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 10
    with store.reading() as session:
        assert len(session.scalars(select(Message).where(Message.state == "held")).all()) == 20
