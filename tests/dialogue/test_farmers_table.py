"""The table of what farmers write, proved row by row, on SQLite and without a web server."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from gateway.cases import codes, escalation
from gateway.cases.case import by_code, open_case
from gateway.context import Context
from gateway.dialogue import answers
from gateway.dialogue.sms import Incoming, receive
from gateway.people import farmers, officers
from gateway.privacy import consent
from gateway.store.models import Case, Escalation, Message
from rig.dialogues.farmers import NOTHING, ROWS
from tests.dialogue.conftest import FARMER, OFFICER

NEIGHBOUR = "+250788000077"
_ids = itertools.count()


@dataclass
class Scene:
    """One farmer, before and after she writes."""

    context: Context
    code: str = ""
    other: str = ""

    def write(self, text: str, phone: str = FARMER) -> None:
        at = datetime(2026, 11, 1, tzinfo=UTC)
        receive(self.context.dialogue, Incoming(f"row-{next(_ids)}", phone, text, at))

    def said(self, phone: str = FARMER) -> list[str]:
        with self.context.store.reading() as session:
            query = select(Message).where(
                Message.direction == "out",
                Message.address_digest.in_(self.context.store.vault.numbers(phone)),
            )
            return [str(row.text) for row in session.scalars(query.order_by(Message.id))]

    def holds(self, fact: str) -> bool:
        return FACTS[fact](self)

    def farmer_is_stopped(self) -> bool:
        with self.context.store.reading() as session:
            farmer = farmers.find(session, FARMER)
            return farmer is not None and farmer.opted_out_at is not None

    def language(self) -> str | None:
        with self.context.store.reading() as session:
            farmer = farmers.find(session, FARMER)
            return farmer.language if farmer else None

    def open_escalations(self) -> int:
        with self.context.store.reading() as session:
            return len(
                session.scalars(select(Escalation).where(Escalation.closed_at.is_(None))).all()
            )

    def cases(self) -> int:
        with self.context.store.reading() as session:
            query = select(Case).join(Case.farmer)
            return len([c for c in session.scalars(query) if c.farmer.phone == FARMER])

    def attached(self) -> int:
        with self.context.store.reading() as session:
            query = select(Message).where(Message.direction == "in", Message.case_id.is_not(None))
            return len(session.scalars(query).all())

    def not_understood(self) -> int:
        with self.context.store.reading() as session:
            query = select(Message).where(Message.outcome == "not_understood")
            return len(session.scalars(query).all())


FACTS: dict[str, Callable[[Scene], bool]] = {
    "hers": lambda scene: scene.cases() == 1,
    "not hers": lambda scene: scene.cases() == 0,
    "old number told": lambda scene: any("...0001" in t for t in scene.said(NEIGHBOUR)),
    "stopped": lambda scene: scene.farmer_is_stopped(),
    "not stopped": lambda scene: not scene.farmer_is_stopped(),
    "en": lambda scene: scene.language() == "en",
    "fr": lambda scene: scene.language() == "fr",
    "rw": lambda scene: scene.language() == "rw",
    "sw": lambda scene: scene.language() == "sw",
    "an officer": lambda scene: scene.open_escalations() == 1,
    "no officer": lambda scene: scene.open_escalations() == 0,
    "one case": lambda scene: scene.cases() == 1,
    "two cases": lambda scene: scene.cases() == 2,
    "attached": lambda scene: scene.attached() == 1,
    "told the officer": lambda scene: any("FARMER" in t.upper() and "writes" in t
                                          for t in scene.said(OFFICER)),
    "not told": lambda scene: not any("writes" in t for t in scene.said(OFFICER)),
    "for learning": lambda scene: scene.not_understood() == 1,
    "understood": lambda scene: scene.not_understood() == 0,
}  # fmt: skip


def _stranger(scene: Scene) -> None:
    pass


def _known(scene: Scene, language: str = "en") -> None:
    with scene.context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        farmers.set_language(session, farmer, language, by="test")
        consent.give(session, farmer, by="kiosk:1")


def _case(scene: Scene, state: str = "answered", **values: str) -> None:
    _known(scene)
    values = {"label": "maize_rust", "crop": "maize"} | values
    scene.code = _made(scene, FARMER, state=state, **values)


def _made(scene: Scene, phone: str, **values: str) -> str:
    with scene.context.store.transaction() as session:
        farmer = farmers.find_or_create(session, phone)
        case = open_case(session, farmer, source="kiosk")
        for name, value in values.items():
            setattr(case, name, value)
        return case.code


def _on_duty(scene: Scene) -> None:
    with scene.context.store.transaction() as session:
        officers.add(session, OFFICER, "Ada", "*", ["en", "rw", "fr", "sw"])


def _with_officer(scene: Scene) -> None:
    _on_duty(scene)
    _waiting(scene)


def _waiting(scene: Scene) -> None:
    """Her case is to go to an officer, whoever is there."""
    _case(scene)
    with scene.context.store.transaction() as session:
        case = by_code(session, scene.code)
        assert case is not None
        escalation.request_officer(
            session, scene.context.desk, case.farmer, "spreading", case=case, source="sms"
        )


def _helped(scene: Scene) -> None:
    _known(scene)
    scene.write("hello there what is this thing")


def _offered(scene: Scene) -> None:
    _on_duty(scene)
    _case(scene)
    scene.write("it is spreading to all of my field")


def _stopped(scene: Scene) -> None:
    _known(scene)
    scene.write("STOP")


def _stopped_with_officer(scene: Scene) -> None:
    _with_officer(scene)
    scene.write("STOP")


def _nine(scene: Scene) -> None:
    _known(scene)
    for _ in range(9):
        scene.code = _made(scene, FARMER, state="answered", label="bean_spot", crop="beans")


def _two(scene: Scene) -> None:
    _known(scene)
    scene.code = _made(scene, FARMER, state="answered", label="cassava_mosaic", crop="cassava")
    _made(scene, FARMER, state="answered", label="maize_rust", crop="maize")


def _asked_nearest(scene: Scene) -> None:
    _case(scene)
    scene.write(_wrong(scene.code))


def _busy(scene: Scene) -> None:
    _known(scene)
    for _ in range(5):
        scene.write("HELP")


def _silent(scene: Scene) -> None:
    _known(scene)
    for _ in range(8):
        scene.write("HELP")


def _answered(scene: Scene) -> None:
    _on_duty(scene)
    _case(scene, "photo_requested", label="")


def _promised(scene: Scene, language: str = "en", words: str = "I will visit on 28/12") -> None:
    _known(scene, language)
    _on_duty(scene)
    scene.code = _made(scene, FARMER, state="answered", label="maize_rust", crop="maize")
    parts = scene.context
    with parts.store.transaction() as session:
        case = by_code(session, scene.code)
        assert case is not None
        held = escalation.escalate(session, parts.desk, case, "spreading", actor="test")
        answers.answer(session, parts.catalogue, parts.desk, held.officer, case, words)


def _old_number(scene: Scene) -> None:
    """She had a case with another number than the one that she writes from."""
    with scene.context.store.transaction() as session:
        old = farmers.find_or_create(session, NEIGHBOUR)
        farmers.set_language(session, old, "en", by="test")
        consent.give(session, old, by="kiosk:1")
    values = {"state": "answered", "label": "maize_rust", "crop": "maize"}
    scene.code = _made(scene, NEIGHBOUR, area="Rwamagana/Muhazi", **values)


STATES: dict[str, Callable[[Scene], None]] = {
    "stranger": _stranger,
    "known": _known,
    "speaks sw": lambda scene: _known(scene, "sw"),
    "speaks fr": lambda scene: _known(scene, "fr"),
    "speaks rw": lambda scene: _known(scene, "rw"),
    "has a case": _case,
    "duty": lambda scene: (_on_duty(scene), _case(scene))[-1],
    "with officer": _with_officer,
    "nobody on duty": _waiting,
    "helped": _helped,
    "offered": _offered,
    "stopped": _stopped,
    "stopped, with officer": _stopped_with_officer,
    "nine cases": _nine,
    "two cases": _two,
    "asked which": _asked_nearest,
    "five replies": _busy,
    "eight replies": _silent,
    "photo asked": _answered,
    "promised": _promised,
    "promised fr": lambda scene: _promised(scene, "fr", "I will call on 28/12"),
    "promised rw": lambda scene: _promised(scene, "rw"),
    "promised sw": lambda scene: _promised(scene, "sw"),
    "old number": _old_number,
}


@pytest.mark.parametrize(
    ("state", "text", "reply", "facts"), ROWS, ids=[f"{row[0]}: {row[1]}" for row in ROWS]
)
def test_a_dialogue(
    context: Context, state: str, text: str, reply: str, facts: tuple[str, ...]
) -> None:
    scene = Scene(context)
    STATES[state](scene)
    before = len(scene.said())
    scene.write(text.format(code=scene.code, wrong=_wrong(scene.code) if scene.code else ""))
    new = scene.said()[before:]
    if reply == NOTHING:
        assert new == []
    else:
        assert len(new) == 1, new
        assert reply.format(code=scene.code) in new[0]
    assert [fact for fact in facts if not scene.holds(fact)] == []


def test_there_are_enough_rows_in_every_language() -> None:
    assert len(ROWS) >= 70


def _wrong(code: str) -> str:
    """The code with one letter wrong, which the check character tells."""
    letter = next(c for c in codes.ALPHABET if c != code[3])
    return code[:3] + letter + code[4:]
