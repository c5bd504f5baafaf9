"""The table of what officers and the operator write, proved row by row."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import time_machine
from sqlalchemy import select

from gateway.cases import escalation
from gateway.context import Context
from gateway.dialogue import gsm7
from gateway.dialogue.sms import Incoming, receive
from gateway.dialogue.sms.chatter import Kind
from gateway.dialogue.sms.officer.case import ACTIONS
from gateway.people import officers
from gateway.settings import Settings
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Message
from rig.dialogues.officers import OPERATOR, ROWS, Row
from tests.dialogue.conftest import MakeCase

_ids = itertools.count()


@pytest.fixture
def context(settings: Settings) -> Iterator[Context]:
    """With an operator's number."""
    context = Context.open(settings.model_copy(update={"operator_phone": OPERATOR}))
    yield context
    context.close()


def _code(make_case: MakeCase, context: Context, phone: str, **values: str) -> str:
    code = make_case(
        phone, **{"state": "answered", "label": "maize_rust", "crop": "maize"} | values
    )
    with context.store.transaction() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        escalation.escalate(session, context.desk, case, "most_plants", actor="test")
    return code


@dataclass(frozen=True)
class Phones:
    """Of one row: a house may hold many."""

    farmer: str
    other: str
    officer: str
    colleague: str

    @classmethod
    def of(cls, number: int) -> Phones:
        return cls(*(f"+25078{kind}{number:06d}" for kind in (1, 2, 3, 4)))


def _in_state(state: str, context: Context, make_case: MakeCase, phones: Phones) -> dict[str, str]:
    """one: a case of maize that looks like rust. two: and another's. beans: told to be beans.
    unknown: the machine does not know the leaf. promise: as one. colleague: one more is on duty.
    none: no case. operator: nobody is on duty. What follows a dash is the officer's language."""
    name, _, language = state.partition("-")
    with context.store.transaction() as session:
        for officer in officers.listed(session):
            officers.disable(session, officer.id)
        if name != "operator":
            officers.add(session, phones.officer, "Ada", "*", [language or "en"])
    if name == "none":
        return {}
    extra = {"beans": {"crop": "beans"}, "unknown": {"verdict": "unknown"}}.get(name, {})
    codes = {"code": _code(make_case, context, phones.farmer, **extra)}
    if name == "two":
        codes["other"] = _code(make_case, context, phones.other)
    if name == "colleague":
        with context.store.transaction() as session:
            officers.add(session, phones.colleague, "Bea", "*", ["en"])
    codes["briefing"] = _sent(context, OPERATOR if name == "operator" else phones.officer)[-1]
    return codes


def _send(context: Context, text: str, phone: str) -> None:
    receive(context.dialogue, Incoming(f"t-{next(_ids)}", phone, text, now()))


def _sent(context: Context, phone: str) -> list[str]:
    with context.store.reading() as session:
        query = select(Message).where(Message.direction == "out").order_by(Message.id)
        return [str(m.text) for m in session.scalars(query) if m.address == phone]


def _open(context: Context, code: str) -> bool:
    with context.store.reading() as session:
        case = session.scalars(select(Case).where(Case.code == code)).one()
        held = select(Escalation.id).where(
            Escalation.case_id == case.id, Escalation.closed_at.is_(None)
        )
        return session.scalar(held) is not None


STATES = sorted({row.state for row in ROWS})


@pytest.mark.parametrize("state", STATES)
def test_what_is_written_does_this(context: Context, make_case: MakeCase, state: str) -> None:
    wrong = []
    with time_machine.travel("2026-11-28T09:00:00Z", tick=False) as clock:
        for number, row in enumerate(row for row in ROWS if row.state == state):
            clock.shift(3600)
            wrong += [f"{row.text}: {fault}" for fault in _faults(context, make_case, row, number)]
    assert not wrong, "\n".join(wrong)


def _faults(context: Context, make_case: MakeCase, row: Row, number: int) -> Iterator[str]:
    """What became of one row that should not have."""
    phones = Phones.of(number)
    codes = _in_state(row.state, context, make_case, phones)
    who = OPERATOR if row.who == OPERATOR else phones.officer
    farmer = phones.other if "{other}" in row.text else phones.farmer
    before, replies = len(_sent(context, farmer)), len(_sent(context, who))
    _send(context, row.text.format(**codes), who)
    told, heard = _sent(context, farmer)[before:], _sent(context, who)[replies:]
    if len(heard) != 1 or row.reply not in heard[0]:
        yield f"replied {heard}"
    if bool(told) != bool(row.relayed) or row.relayed not in " ".join(told):
        yield f"relayed {told}"
    if long := [text for text in heard + told if gsm7.septets(text) > gsm7.SINGLE]:
        yield f"too long {long}"
    if "code" not in codes:
        return
    if _open(context, codes["code"]) != row.open:
        yield f"open is not {row.open}"
    with context.store.reading() as session:
        last = select(Escalation.label).order_by(Escalation.id.desc()).limit(1)
        if row.label != session.scalar(last):
            yield f"label {session.scalar(last)}"


def test_every_kind_does_something_about_a_case() -> None:
    assert set(ACTIONS) == set(Kind) - {Kind.UNDO}


def test_there_are_rows_enough() -> None:
    """Of each language: what its speakers write, and what is said to them."""
    assert len(ROWS) >= 60
    assert {row.state.partition("-")[2] for row in ROWS} == {"", "fr", "rw", "sw"}
