"""Random people on the menu: they mistype, drop, redial, go back, change language, lose state.

Whatever they do, no walk reaches a dead end, a page that does not fit, a key instead of a text, or
an exception. Most steps are taken by the engine alone; the rest are hops through the store and a
real Redis. In CI at least 20,000 together.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from gateway.agronomy import LABELS
from gateway.cases import escalation, life
from gateway.cases.case import open_case
from gateway.context import Context
from gateway.dialogue.ussd import answer
from gateway.dialogue.ussd.engine import Menu
from gateway.dialogue.ussd.facts import FarmerFacts, OfficerFacts
from gateway.dialogue.ussd.phone import Phone
from gateway.people import farmers, kiosks, officers
from gateway.privacy import consent
from gateway.store.models import Farmer
from rig.paper import Paper, PaperLine, new_case

LENGTH = 125
"""Steps of one walk."""
SHARE = settings().max_examples / 100
"""Of the steps that CI takes."""

LEFTOVER = re.compile(r"\{\w+\}|\b(ussd|option|state|note|crop|disease|prevent|diag)_\w+")
NUMBER = re.compile(r"^(\d+) ", re.MULTILINE)

numbers = itertools.count(100000)
seen: Counter[str] = Counter()


class Walk(RuleBasedStateMachine):
    """One person with one phone."""

    phone: Phone
    answers: list[str]
    """What this person can type where words are asked."""

    def lose(self) -> None:
        """Lose the state of the session."""

    def look(self) -> None:
        """What must hold of every screen."""
        screen = self.phone.screen
        seen["steps"] += 1
        assert not LEFTOVER.search(screen), screen
        assert screen.strip()
        if not self.phone.ended:
            seen[screen.splitlines()[0]] += 1

    def open(self) -> bool:
        return not self.phone.ended

    @precondition(open)
    @rule(choice=st.integers(0, 30))
    def choose(self, choice: int) -> None:
        offered = NUMBER.findall(self.phone.screen) or ["00"]
        self.phone.answer(offered[choice % len(offered)])
        self.look()

    @precondition(open)
    @rule(key=st.sampled_from(["0", "00", "98"]))
    def standing_key(self, key: str) -> None:
        self.phone.answer(key)
        self.look()

    @precondition(open)
    @rule(
        text=st.one_of(st.text(max_size=12), st.sampled_from(["", "#", "1*2", "0*0", " 1 ", "٣"]))
    )
    def mistype(self, text: str) -> None:
        self.phone.answer(text)
        self.look()

    @precondition(open)
    @rule(choice=st.integers(0, 20))
    def type_what_is_asked(self, choice: int) -> None:
        self.phone.answer(self.answers[choice % len(self.answers)])
        self.look()

    @precondition(open)
    @rule()
    def hear_it_twice(self) -> None:
        before = self.phone.screen
        assert self.phone.repeat().screen == before
        seen["steps"] += 1

    @rule(path=st.sampled_from(["", "", "", "2*1", "6*1", "7", "1*1", "9*9"]))
    def redial(self, path: str) -> None:
        self.phone.drop()
        self.phone.dial(f"*384*123*{path}#" if path else "")
        self.look()

    @precondition(open)
    @rule()
    def lose_state(self) -> None:
        self.lose()
        self.phone.answer("00")
        self.look()

    @precondition(open)
    @rule()
    def find_home(self) -> None:
        """There is always a way on: from anywhere 00 leads to a screen with choices."""
        self.phone.answer("00")
        self.look()
        assert self.phone.ended or NUMBER.findall(self.phone.screen)


people = {
    "language": st.sampled_from([None, "en", "fr", "rw", "sw"]),
    "consented": st.booleans(),
    "officer": st.sampled_from([True, False, False]),
    "cases": st.lists(
        st.tuples(st.sampled_from(list(life.NEXT)), st.sampled_from([None, *LABELS])),
        max_size=9,
    ),
}
Cases = list[tuple[str, str | None]]


class PaperWalk(Walk):
    menu: Menu

    @initialize(**people)
    def arrive(self, language: str | None, consented: bool, officer: bool, cases: Cases) -> None:
        paper = Paper(known=[new_case(state, label or "unknown") for state, label in cases])
        paper.places = {"Huye": ("Ngoma", "Tumba"), "Kayonza": ("Mukarange",)}
        if language or cases:
            paper.caller = FarmerFacts(language, consented, opted_out=False)
        if officer:
            paper.official = OfficerFacts(language or "en", on_duty=True)
            paper.given = [new_case(life.ESCALATED, label or "unknown") for _, label in cases]
        self.answers = ["12345", "K7Q2M9X", "huye", "m", *(case.code for case in paper.known)]
        self.phone = Phone(PaperLine(self.menu, paper), "+250788000001").dial()
        self.look()


class RealWalk(Walk):
    context: Context

    @initialize(**people)
    def arrive(self, language: str | None, consented: bool, officer: bool, cases: Cases) -> None:
        number = f"+250788{next(numbers)}"
        self.answers = ["12345", "K7Q2M9X", "huye", "m"]
        with self.context.store.transaction() as session:
            if officer:
                self.answers[0] = officers.add(session, number, "Ada", "*", [language or "en"])[1]
            if language or cases:
                farmer = farmers.find_or_create(session, number)
                farmers.set_language(session, farmer, language or "en", by="test")
                if consented:
                    consent.give(session, farmer, by="test")
            for state, label in cases:
                self.answers.append(self._case(session, farmer, state, label))
        self.phone = Phone(lambda request: answer(self.context.ussd, request).body, number).dial()
        self.look()

    def _case(self, session: Session, farmer: Farmer, state: str, label: str | None) -> str:
        case = open_case(session, farmer, source="kiosk")
        case.label = label
        if state in (life.ESCALATED, life.ACCEPTED):
            escalation.escalate(session, self.context.desk, case, "unknown", actor="machine")
        else:
            case.state = state
        return case.code

    def lose(self) -> None:
        self.context.redis.flushall()


def walk(machine: type[Walk], steps: int) -> None:
    """Walk until so many steps are taken; a walk may end before its time."""
    seen.clear()
    while seen["steps"] < steps:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=max(1, (steps - seen["steps"]) // LENGTH),
                stateful_step_count=LENGTH,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


@pytest.mark.timeout(900)  # a busy machine is no fault of the menu
def test_no_walk_on_the_engine_goes_wrong(context: Context) -> None:
    PaperWalk.menu = context.ussd.menu
    walk(PaperWalk, round(20_000 * SHARE))


@pytest.mark.timeout(900)
def test_no_walk_through_the_whole_goes_wrong(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    with context.store.transaction() as session:
        kiosks.add(session, "Near", "Rwamagana/Muhazi", "Tue, Fri")
        officers.add(session, "+250788000009", "Ben", "*", ["rw", "en"])
    RealWalk.context = context
    with caplog.at_level(logging.ERROR, "leafline"):
        walk(RealWalk, round(1_000 * SHARE))
    # Walks type wrong PINs again and again, which somebody is to see.
    guessed = "incident opened: signin:guessing"
    assert [said for said in caplog.messages if not said.startswith(guessed)] == []
