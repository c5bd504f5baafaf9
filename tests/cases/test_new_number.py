"""A case that goes to its farmer's new number."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.cases import escalation, new_number
from gateway.cases.case import open_case
from gateway.context import Context
from gateway.people import farmers
from gateway.privacy import consent, erasure, person
from gateway.store.models import Case, Message
from rig import things as house

NEW = "+250788000055"


def _case(session: Session) -> Case:
    return session.scalars(select(Case)).one()


@pytest.fixture
def code(any_context: Context) -> str:
    house.officer(any_context.store)
    farmer = house.farmer(any_context.store)
    with any_context.store.transaction() as session:
        hers = session.merge(farmer)
        hers.area = "Rwamagana/Muhazi"
        case = open_case(session, hers, source="kiosk", crop="maize", place="Kabeza, Rwamagana")
        escalation.escalate(session, any_context.desk, case, "unknown", actor="test")
        return case.code


@pytest.mark.parametrize(
    ("words", "crops", "right"),
    [
        ("0001 maize", {"maize"}, True),
        ("0788 000 001 rwamagana", set(), False),  # digits in pieces that end nothing
        ("0788000001 muhazi", set(), True),
        ("+250788000001 maize", {"maize"}, True),
        ("maize in Rwamagana", {"maize"}, True),
        ("maize", {"maize"}, False),
        ("0001", set(), False),
        ("0002 maize rwamagana", {"maize"}, False),
        ("0001 beans", {"beans"}, False),
        ("", set(), False),
        ("\0 0001\0 maize", {"maize"}, True),
    ],
)
def test_two_facts_prove_it(
    any_context: Context, code: str, words: str, crops: set[str], right: bool
) -> None:
    with any_context.store.reading() as session:
        assert new_number.proved(_case(session), words, crops) is right


def test_everything_of_the_case_goes_with_it(
    any_context: Context, code: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store, photos = any_context.store, any_context.photos
    with store.transaction() as session:
        assert new_number.move(session, any_context.desk, _case(session), NEW, actor="farmer")
        assert not new_number.move(session, any_context.desk, _case(session), NEW, actor="farmer")
    with store.reading() as session:
        case = _case(session)
        assert case.farmer.phone == NEW
        assert case.farmer.consent_at is not None
        waiting = session.scalars(
            select(Message).where(Message.template == "escalation_farmer")
        ).one()
        assert waiting.address == NEW  # it had not left yet
        told = {m.template: m.address for m in session.scalars(select(Message))}
        assert told["case_moved"] == NEW
        assert told["case_moved_away"] == house.FARMER
        assert told["officer_new_number"] == house.OFFICER
    folder = tmp_path_factory.mktemp("held") / "out"
    written = person.export(store, photos, NEW, folder)
    assert written is not None
    assert written.cases == 1
    erasure.erase(store, photos, house.FARMER, by="test")
    with store.reading() as session:
        assert _case(session).code == code
    erasure.erase(store, photos, NEW, by="test")
    with store.reading() as session:
        assert session.scalars(select(Case)).all() == []


def test_who_withdrew_is_not_agreed_for_by_a_case_that_comes(
    any_context: Context, code: str
) -> None:
    with any_context.store.transaction() as session:
        other = farmers.find_or_create(session, NEW)
        consent.give(session, other, by="test")
        consent.withdraw(session, other, by="test")
        new_number.move(session, any_context.desk, _case(session), NEW, actor="officer:1")
    with any_context.store.reading() as session:
        assert _case(session).farmer.consent_at is None


def test_tries_at_one_case_end(any_context: Context, code: str) -> None:
    zone = any_context.desk.zone
    with any_context.store.transaction() as session:
        case = _case(session)
        tries = [new_number.another_try(session, case, zone) for _ in range(new_number.A_DAY + 1)]
    assert tries == [True] * new_number.A_DAY + [False]
