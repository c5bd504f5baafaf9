"""What a case had to say and no phone took goes to a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, text, update

from gateway.cases import escalation, life, undelivered
from gateway.cases.case import open_case
from gateway.context import Context
from gateway.jobs import sweeps_cases
from gateway.outbox.kinds import Kind
from gateway.people import farmers
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Incident, Message
from gateway.store.vault import Vault
from rig.things import AREA, FARMER, OFFICER, officer

OPERATOR = "+250788000090"
OTHER = Vault("a key that was in use before, long enough to be one")
DAY = timedelta(days=1)


@pytest.fixture
def house(any_context: Context) -> Context:
    """With an operator and an officer on duty."""
    settings = any_context.settings.model_copy(update={"operator_phone": OPERATOR})
    context = replace(any_context, settings=settings)
    officer(context.store)
    return context


def answered(context: Context) -> int:
    """A case whose answer is in the outbox; its id."""
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        case = open_case(session, farmer, source="kiosk", crop="maize", area=AREA)
        life.move(session, case, life.DIAGNOSED, actor="machine")
        life.move(session, case, life.ANSWERED, actor="machine")
        say(context, case, "answer")
        return case.id


def say(context: Context, case: Case, key: str, kind: Kind = Kind.ANSWER) -> None:
    from sqlalchemy.orm import object_session

    session = object_session(case)
    assert session is not None
    context.desk.tell_farmer(session, case.farmer, "low_confidence", key=key, case=case, kind=kind)


def end(context: Context, key: str, state: str, outcome: str | None) -> None:
    with context.store.transaction() as session:
        session.execute(
            update(Message)
            .where(Message.key == key)
            .values(state=state, outcome=outcome, final_at=now())
        )


def sweep(context: Context) -> int:
    return sweeps_cases.undelivered_answers(context)


def told(context: Context) -> list[tuple[str, str]]:
    """(number, template) of all but the answer."""
    with context.store.reading() as session:
        rows = session.scalars(select(Message).where(Message.key != "answer").order_by(Message.id))
        return [(row.address, row.template or "") for row in rows]


def causes(context: Context) -> list[str]:
    with context.store.reading() as session:
        return list(session.scalars(select(Incident.cause).where(Incident.closed_at.is_(None))))


@pytest.mark.parametrize(
    ("state", "outcome", "handed_over"),
    [
        ("failed", "invalid_number", True),
        ("failed", "unsupported_number", True),
        ("failed", "blacklisted", True),
        ("failed", "no_route", True),
        ("failed", "delivery_failure", True),
        ("failed", "fate_unknown", True),
        ("failed", "unreadable", True),
        ("failed", "unknown_kind", True),
        ("failed", "resent", False),
        ("failed", "absent", False),
        ("delivered", None, False),
        ("sent", "no_report", False),
        ("queued", None, False),
        ("unknown", "read_timeout", False),
    ],
)
def test_a_refused_answer_goes_to_an_officer_once(
    house: Context, state: str, outcome: str | None, handed_over: bool
) -> None:
    case_id = answered(house)
    end(house, "answer", state, outcome)
    assert sweep(house) == handed_over
    assert sweep(house) == 0
    assert told(house) == ([(OFFICER, "escalation_officer_report")] if handed_over else [])
    with house.store.reading() as session:
        assert session.get_one(Case, case_id).state == ("escalated" if handed_over else "answered")


def test_a_phone_that_was_off_has_a_day(house: Context) -> None:
    answered(house)
    end(house, "answer", "failed", "absent")
    with time_machine.travel(now() + DAY * 0.9):
        assert sweep(house) == 0
    with time_machine.travel(now() + DAY * 1.1):
        assert sweep(house) == 1


@pytest.mark.parametrize(
    ("kind", "handed_over"), [(Kind.ANSWER, 0), (Kind.REPLY, 1), (Kind.REMINDER, 1)]
)
def test_only_a_later_word_of_the_case_makes_up_for_it(
    house: Context, kind: Kind, handed_over: int
) -> None:
    case_id = answered(house)
    end(house, "answer", "failed", "no_route")
    with house.store.transaction() as session:
        say(house, session.get_one(Case, case_id), "later", kind)
    assert sweep(house) == handed_over


def test_an_officers_answer_that_reaches_no_phone_is_an_incident(house: Context) -> None:
    case_id = answered(house)
    with house.store.transaction() as session:
        case = session.get_one(Case, case_id)
        keza = escalation.escalate(session, house.desk, case, "test", actor="test").officer
        assert keza is not None
        escalation.answer(session, house.desk, keza, case, "Remove the leaves.")
    with house.store.reading() as session:
        key = session.scalars(
            select(Message.key).where(Message.template == "officer_closing")
        ).one()
    end(house, key, "failed", "invalid_number")
    assert sweep(house) == 0
    assert causes(house) == [undelivered.CAUSE]
    end(house, key, "failed", "resent")
    sweep(house)
    assert causes(house) == []


def test_many_cases_are_no_reason_to_forget_the_last(
    house: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps_cases, "BATCH", 1)
    for number in range(3):
        answered(house)
        end(house, "answer", "failed", "no_route")
        with house.store.transaction() as session:
            session.execute(
                update(Message).where(Message.key == "answer").values(key=f"answer {number}")
            )
    assert [sweep(house) for _ in range(4)] == [1, 1, 1, 0]


def test_a_number_that_cannot_be_read_brings_a_person(house: Context) -> None:
    """Her number was sealed with a key that is gone: the case goes on, to a person."""
    case_id = answered(house)
    with house.store.transaction() as session:
        sealed = {"sealed": OTHER.seal_text(FARMER)}
        session.execute(text("UPDATE farmer SET phone = :sealed"), sealed)
        session.execute(text("UPDATE message SET address = :sealed"), sealed)
    end(house, "answer", "failed", "unreadable")
    assert sweep(house) == 1
    with house.store.reading() as session:
        assert session.scalars(select(Escalation.reason)).one() == undelivered.REASON
        officers_sms = session.scalars(
            select(Message.text).where(Message.template == "escalation_officer_report")
        ).one()
        code = session.get_one(Case, case_id).code
    assert officers_sms is not None
    assert code in officers_sms
    assert FARMER not in officers_sms
