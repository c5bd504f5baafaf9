"""The engine alone, on facts that live in memory: fast enough for very long walks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from gateway.cases import codes, life
from gateway.dialogue.ussd import UssdRequest
from gateway.dialogue.ussd import facts as ask
from gateway.dialogue.ussd.engine import Menu, State
from gateway.dialogue.ussd.facts import CaseFacts, FarmerFacts, KioskFacts, OfficerFacts


@dataclass
class Paper:
    """Facts of one caller; `carry_out` does to them what the store would have done."""

    caller: FarmerFacts | None = None
    official: OfficerFacts | None = None
    known: list[CaseFacts] = field(default_factory=list)
    given: list[CaseFacts] = field(default_factory=list)
    """Open cases of the officer."""
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Sectors by district; without any, nobody is asked where the field is."""

    def farmer(self) -> FarmerFacts | None:
        return self.caller

    def stored(self) -> int:
        return len(self.known) if self.caller else 0

    def cases(self) -> list[CaseFacts]:
        return self.known

    def case(self, code: str) -> CaseFacts | None:
        return next((case for case in self.known + self.given if case.code == code), None)

    def news(self) -> str:
        return self.known[0].code if len(self.known) == 1 else ""

    def look_up(self, code: str) -> Literal["found", "none"]:
        return "none" if self.case(code) is None else "found"

    def units(self, above: str = "") -> tuple[str, ...]:
        return self.places.get(above, ()) if above else tuple(self.places)

    def kiosks(self, area: str = "") -> list[KioskFacts]:
        return [KioskFacts("1", "Near", "Rwamagana/Muhazi", "Tue, Fri")]

    def on_duty(self, area: str = "") -> bool:
        return len(self.known) % 2 == 0

    def erasure_code(self, typed: str) -> Literal["right", "wrong"]:
        return "right" if typed == "12345" else "wrong"

    def officer(self) -> OfficerFacts | None:
        return self.official

    def desk(self) -> list[CaseFacts]:
        return self.given

    def colleague(self, code: str) -> bool:
        return len(self.given) % 2 == 0

    def pin(self, typed: str) -> Literal["right", "wrong"]:
        return "right" if typed == "12345" else "wrong"

    def carry_out(self, effect: ask.Effect) -> None:
        caller = self.caller or FarmerFacts(language=None, consented=False, opted_out=False)
        match effect:
            case ask.SetLanguage(language):
                self.caller = replace(caller, language=language)
            case ask.SetArea(area):
                self.caller = replace(caller, area=area)
            case ask.GiveConsent(language):
                began = "consent" if caller.language else "language_first"
                self.caller = replace(caller, language=language, consented=True, began=began)
            case ask.WithdrawConsent():
                self.caller = replace(caller, consented=False)
            case ask.AllowTraining():
                pass  # no screen asks for it again
            case ask.OptOut():
                self.caller = replace(caller, opted_out=True)
            case ask.OptIn():
                self.caller = replace(caller, opted_out=False)
            case ask.Erase():
                self.caller, self.known = None, []
            case ask.MarkRead() | ask.SendErasureCode():
                pass
            case ask.RequestOfficer(case="", area=area):
                self.caller = replace(caller, area=area or caller.area)
                self.known.insert(0, new_case(life.ESCALATED, "unknown"))
            case ask.RequestOfficer(case=code):
                self.known = [
                    replace(c, state=life.ESCALATED) if c.code == code else c for c in self.known
                ]
            case ask.SetDuty(on_duty):
                self.official = self.official and replace(self.official, on_duty=on_duty)
            case ask.HandOver(code) | ask.AnswerCase(case=code) | ask.AnswerInWords(case=code):
                self.given = [c for c in self.given if c.code != code]


def new_case(state: str, label: str) -> CaseFacts:
    note = "Bury the worst leaves." if state == life.CLOSED else ""
    opened = date(2026, 11, 1)
    return CaseFacts(codes.new(), state, opened, "maize", label, mine=True, note=note)


class PaperLine:
    """Answers requests with the engine alone: every hop is a new answer, nothing is lost."""

    def __init__(self, menu: Menu, paper: Paper) -> None:
        self._menu = menu
        self._paper = paper
        self._states: dict[str, tuple[State, str, str]] = {}

    def __call__(self, request: UssdRequest) -> str:
        state, path, reply = self._states.get(request.session_id, (None, "", ""))
        if state is not None and request.text == path and reply:
            return reply
        if state is None:
            if self._paper.caller:
                self._paper.caller = replace(self._paper.caller, began="")
            state = self._menu.start(self._paper, "en")
        else:
            typed = request.text[len(path) :].removeprefix("*")
            step = self._menu.step(state, typed, self._paper)
            for effect in step.effects:
                self._paper.carry_out(effect)
            # As from Redis, so that nothing in a state is more than plain values.
            state = State.from_json(step.state.to_json())
        text, ends = self._menu.show(state, self._paper)
        reply = f"{'END' if ends else 'CON'} {text}"
        self._states = {request.session_id: (state, request.text, reply)}
        return reply
