"""A broadcast reaches who agreed to it, once, after two people said so."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.broadcasts import broadcast
from gateway.context import Context
from gateway.jobs import broadcasts
from gateway.people import farmers
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Broadcast, Event, Farmer, Message, Operator

LANGUAGES = frozenset({"en", "rw"})
TEXTS = {"en": "Meeting on Friday.", "rw": "Inama kuwa gatanu."}


def farmer(
    session: Session,
    number: int,
    area: str | None = "Rwamagana/Muhazi",
    language: str = "rw",
    consent: bool = True,
    opted_out: bool = False,
) -> Farmer:
    row = farmers.find_or_create(session, f"+2507880{number:05}")
    row.area, row.language = area, language
    row.consent_at = now() if consent else None
    row.opted_out_at = now() if opted_out else None
    return row


def operator(session: Session, name: str) -> Operator:
    row = Operator(name=name, role="admin", password_hash="-", totp_secret="-")
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def session(store: Store) -> Iterator[Session]:
    with store.transaction() as session:
        yield session


def test_reach_counts_who_agreed_and_what_it_costs(session: Session) -> None:
    farmer(session, 1)
    farmer(session, 2, area="RWAMAGANA / Kigabiro", language="sw")
    farmer(session, 3, area="Rwámagana", language="en")
    farmer(session, 4, opted_out=True)
    farmer(session, 5, consent=False)
    farmer(session, 6, area="Huye/Ngoma")
    farmer(session, 7, area=None)
    for number, cost in enumerate(["10", "14"]):
        message = Message(
            key=str(number), direction="out", address="+250788000001", address_digest="x",
            state="sent", sent_at=now(), cost=Decimal(cost), currency="RWF",
        )  # fmt: skip
        session.add(message)
    session.flush()
    reach = broadcast.reach(session, "Rwamagana", LANGUAGES)
    assert (reach.farmers, reach.by_language) == (3, {"rw": 1, "en": 2})
    assert reach.cost == {"RWF": Decimal(36)}


def test_no_price_is_no_guess(session: Session) -> None:
    farmer(session, 1)
    assert broadcast.reach(session, "Rwamagana", LANGUAGES).cost == {}


@pytest.mark.parametrize("area", ["", "*", "/", "Rwama", "Muhazi"])
def test_an_area_is_a_whole_unit_from_the_largest_down(session: Session, area: str) -> None:
    farmer(session, 1)
    assert broadcast.reach(session, area, LANGUAGES).farmers == 0


def test_nobody_approves_a_draft_of_their_own(session: Session) -> None:
    ines, jo = operator(session, "ines"), operator(session, "jo")
    row = broadcast.draft(session, ines, "Rwamagana", TEXTS, 1)
    with pytest.raises(broadcast.BroadcastError, match="same_person"):
        broadcast.approve(session, ines, row.id)
    broadcast.approve(session, jo, row.id)
    with pytest.raises(broadcast.BroadcastError, match="decided"):
        broadcast.approve(session, jo, row.id)
    kinds = session.scalars(select(Event.kind).order_by(Event.id)).all()
    assert kinds == ["broadcast_drafted", "broadcast_approved"]


@pytest.mark.parametrize(
    ("texts", "farmers", "code"),
    [({"rw": "x"}, 1, "no_text"), ({"en": " "}, 1, "no_text"), (TEXTS, 0, "nobody")],
)
def test_what_cannot_be_drafted(
    session: Session, texts: dict[str, str], farmers: int, code: str
) -> None:
    with pytest.raises(broadcast.BroadcastError, match=code):
        broadcast.draft(session, operator(session, "ines"), "Rwamagana", texts, farmers)


def approved(store: Store, count: int) -> int:
    with store.transaction() as session:
        for number in range(count):
            farmer(session, number, language="rw" if number % 2 else "fr")
        row = broadcast.draft(session, operator(session, "ines"), "Rwamagana", TEXTS, count)
        return broadcast.approve(session, operator(session, "jo"), row.id).id


def post_all(store: Store, room: int) -> list[int]:
    posted = []
    while True:
        with store.transaction() as session:
            row = session.scalars(select(Broadcast)).one()
            if row.state != broadcast.APPROVED:
                return posted
            posted.append(broadcast.post_some(session, room))


def test_each_farmer_gets_it_once_in_her_language(store: Store) -> None:
    approved(store, 7)
    assert post_all(store, 3) == [3, 3, 1]
    with store.reading() as session:
        messages = session.scalars(select(Message)).all()
        row = session.scalars(select(Broadcast)).one()
    assert len({message.address for message in messages}) == 7
    assert {(m.language, m.text) for m in messages} == {
        ("rw", TEXTS["rw"]),
        ("en", TEXTS["en"]),
    }
    assert {(m.kind, m.priority, m.state) for m in messages} == {("notice", 9, "queued")}
    assert (row.posted, row.state) == (7, "posted")


def test_two_sweeps_at_once_send_nothing_twice(store: Store) -> None:
    approved(store, 40)

    def sweep(_: int) -> int:
        with store.transaction() as session:
            return broadcast.post_some(session, 10)

    with ThreadPoolExecutor(4) as pool:
        posted = sum(pool.map(sweep, range(12)))
    with store.reading() as session:
        assert posted == len(session.scalars(select(Message.id)).all()) == 40


def test_a_cancelled_one_stops_where_it_is(store: Store) -> None:
    id_ = approved(store, 5)
    with store.transaction() as session:
        broadcast.post_some(session, 2)
    with store.transaction() as session:
        jo = session.scalars(select(Operator).where(Operator.name == "jo")).one()
        broadcast.cancel(session, jo, id_)
    with store.transaction() as session:
        assert broadcast.post_some(session, 2) == 0
        with pytest.raises(broadcast.BroadcastError, match="decided"):
            broadcast.cancel(session, jo, id_)


def test_the_outbox_never_holds_more_than_half_a_minute_of_it(any_context: Context) -> None:
    most = int(any_context.settings.send_rate * broadcasts.AHEAD_SECONDS)
    approved(any_context.store, most + 5)
    broadcasts.post(any_context)
    broadcasts.post(any_context)
    with any_context.store.transaction() as session:
        assert broadcast.waiting(session) == most
        session.query(Message).update({"state": "sent"})
    broadcasts.post(any_context)
    with any_context.store.reading() as session:
        assert broadcast.waiting(session) == 5
