"""Fuzz what is typed into a USSD session: the path, the menu's answers, the screens.

    nice -n 19 python -m benchmarks.fuzz.ussd [--seconds 60] [--runs N] [--corpus FOLDER]

The first byte of an input says who calls. Whatever is typed, hop by hop or as one path after an
outage: a screen that the network takes, and a state that Redis can keep.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from gateway import words
    from gateway.cases import life
    from gateway.dialogue import gsm7
    from gateway.dialogue.catalogue import SCREEN_LIMIT, Catalogue
    from gateway.dialogue.ussd import screens
    from gateway.dialogue.ussd.engine import State
    from gateway.dialogue.ussd.facts import CaseFacts, FarmerFacts, OfficerFacts
    from gateway.dialogue.ussd.sessions import segments
    from gateway.dialogue.ussd.walk import walk
    from gateway.settings import ROOT

from benchmarks.fuzz.driver import fuzz
from rig.paper import Paper

LONGEST = 200
TEXTS = Catalogue.load(ROOT / "templates", ussd="*384*123#", service="Leafline", months="12")
MENU = screens.menu(TEXTS)
LANGUAGES = (None, "en", "fr", "rw", "sw")
LEFTOVER = re.compile(r"\{\w+\}|\b(ussd|option|note|disease|prevent)_\w+")
OPENED = date(2026, 11, 1)
CASES = (
    CaseFacts("K7Q2M93", life.ESCALATED, OPENED, "maize", "unknown", mine=True),
    CaseFacts("2345679", life.CLOSED, OPENED, "beans", "bean_spot", mine=True, note="Bury them."),
)


def caller(who: int) -> Paper:
    language = LANGUAGES[who % 5]
    farmer = FarmerFacts(language, consented=bool(who & 8), opted_out=bool(who & 16))
    given = [replace(case, mine=False, state=life.ESCALATED) for case in CASES]
    return Paper(
        caller=farmer if language else None,
        official=OfficerFacts(language or "en", on_duty=True) if who & 32 else None,
        known=list(CASES if who & 64 else CASES[:1]) if language else [],
        given=given if who & 32 else [],
        places={"Rwamagana": ("Muhazi", "Gahengeri")} if who & 128 else {},
    )


def one(data: bytes) -> None:
    """One execution. Raises: AssertionError, or whatever no path should raise."""
    who = data[0] if data else 0
    path = segments(words.typed(data[1:].decode("utf-8", "replace")))
    paper = caller(who)
    state = MENU.start(paper, "en")
    look(state, paper)
    for answer in path[:12]:
        step = MENU.step(state, answer, paper)
        for effect in step.effects:
            paper.carry_out(effect)
        state = State.from_json(json.loads(json.dumps(step.state.to_json())))
        if look(state, paper):
            break
    for patient in (True, False):
        paper = caller(who)
        start = MENU.start(paper, "en")
        if path:
            look(walk(MENU, start, path, paper, patient=patient).state, paper)


def look(state: State, paper: Paper) -> bool:
    """What must hold of every screen; whether it is the last."""
    text, ends = MENU.show(state, paper)
    assert text.strip()
    assert gsm7.septets(text) <= SCREEN_LIMIT
    assert not LEFTOVER.search(text), text
    return ends


def seeds() -> list[bytes]:
    paths = ["", "1", "2*1", "1*1*1", "6*1", "7", "9*9", "00", "0", "98", "3*K7Q2M93", "٣*1",
             "4*1*2*rust*1", "12345*1*1", "*384*123#", "1**2", "a*b c", "2*1*1*1*1"]  # fmt: skip
    return [bytes([who]) + path.encode() for who in range(1, 256, 13) for path in paths]


if __name__ == "__main__":
    fuzz("ussd", __doc__ or "", one, seeds(), LONGEST)
