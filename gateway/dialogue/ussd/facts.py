"""What the screens need to know of the world, in plain values, and what they ask of it.

The engine is pure: it reads `Facts` (`world.py` answers them from the store) and returns effects
(`effects.py` carries them out).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol


@dataclass(frozen=True)
class FarmerFacts:
    """The caller, as far as we know her."""

    language: str | None
    consented: bool
    opted_out: bool
    began: str = ""
    """The screen this session began on, when consent was given in this very session: a lost state
    is replayed from there."""
    agreed_at: int = 0
    """How many answers the path had with the yes; 0 when it was given elsewhere."""
    area: str = ""
    """Where her field is, as far as we know."""


@dataclass(frozen=True)
class CaseFacts:
    code: str
    state: str
    """See gateway.cases.life."""
    opened: date
    crop: str
    """`unknown` when nobody said."""
    label: str = "unknown"
    """What the photos look like; `unknown` before a diagnosis."""
    advice: str = ""
    """What the key of its advice ends in, where it was advised on."""
    mine: bool = False
    """It is a case of the number that calls."""
    note: str = ""
    """The officer's answer."""
    unread: bool = False
    """It has an answer that she has not read over USSD."""
    with_officer: bool = True
    """An officer has it, where a person is to have it; else one is looked for."""
    promised: str = ""
    """`call` or `visit`, where one is to come, by `officer` and by `day`."""
    officer: str = "?"
    day: str = "?"
    officer_phone: str = "?"
    photo_wanted: bool = False
    """Its officer waits for a first photo."""
    language: str = "en"
    """The farmer's."""
    place: str = "?"
    phone: str = "?"
    """The farmer's number; from here on for officers only."""
    finding: str = ""
    """What the photos look like, in the officer's words."""
    why: str = "asks"
    """Why a person got the case; names a text."""
    told: str = ""
    seen: str = ""
    """What the farmer says that it looks like."""
    choices: tuple[str, ...] = ()
    """Labels that a leaf of this crop may have."""


@dataclass(frozen=True)
class KioskFacts:
    id: str
    name: str
    area: str
    opening: str
    near: bool = True
    """It is in the caller's own area, as far as we know the caller's."""


@dataclass(frozen=True)
class OfficerFacts:
    language: str
    on_duty: bool


class Facts(Protocol):
    """Read when a screen asks, so that most hops ask the store for nothing but the caller."""

    def farmer(self) -> FarmerFacts | None: ...

    def cases(self) -> Sequence[CaseFacts]:
        """The caller's, newest first."""
        ...

    def stored(self) -> int:
        """How many cases we hold of the caller; `cases` may be fewer."""
        ...

    def case(self, code: str) -> CaseFacts | None:
        """Anybody's, by its code."""
        ...

    def news(self) -> str:
        """Code of the caller's case that opens on dialling: with a new answer, or her only one."""
        ...

    def look_up(self, code: str) -> Literal["found", "none", "too_often"]:
        """Look for a case by a code that was typed. What is not the caller's counts as a guess, of
        which a number has a few a day; so this is not free to ask either."""
        ...

    def units(self, above: str = "") -> Sequence[str]:
        """The districts of the country, or the sectors of one; empty where no list is known."""
        ...

    def kiosks(self, area: str = "") -> Sequence[KioskFacts]:
        """In service, nearest to the area first, else to the caller's own."""
        ...

    def on_duty(self, area: str = "") -> bool:
        """Whether an officer would take a case of this area, else of the caller's own, now."""
        ...

    def erasure_code(self, typed: str) -> Literal["right", "wrong", "too_often"]:
        """Judge the code that was sent to the caller's phone. Every question counts as a guess."""
        ...

    def officer(self) -> OfficerFacts | None:
        """The officer whose number calls."""
        ...

    def desk(self) -> Sequence[CaseFacts]:
        """The calling officer's open cases, oldest first."""
        ...

    def colleague(self, code: str) -> bool:
        """Whether somebody else on duty could take this case."""
        ...

    def pin(self, typed: str) -> Literal["right", "wrong", "locked"]:
        """Judge the calling officer's PIN. Every question counts as a try (gateway.people.lockout),
        which makes this the one fact that is not free to ask."""
        ...


@dataclass(frozen=True)
class SetLanguage:
    language: str


@dataclass(frozen=True)
class SetArea:
    area: str


@dataclass(frozen=True)
class GiveConsent:
    language: str


@dataclass(frozen=True)
class WithdrawConsent:
    pass


@dataclass(frozen=True)
class AllowTraining:
    """May the photos be kept to teach the model? Asked apart from the consent to the service."""

    allowed: bool


@dataclass(frozen=True)
class OptOut:
    pass


@dataclass(frozen=True)
class OptIn:
    pass


@dataclass(frozen=True)
class SendErasureCode:
    """By SMS: who reads it has the phone, and not only its number."""


@dataclass(frozen=True)
class MarkRead:
    case: str


@dataclass(frozen=True)
class Erase:
    """Everything we hold of the caller."""


@dataclass(frozen=True)
class RequestOfficer:
    reason: str
    case: str = ""
    crop: str = ""
    stage: str = ""
    plants: str = ""
    sprayed: str = ""
    look: str = ""
    sign: str = ""
    pods: str = ""
    sounds: str = ""
    """What look and sign sound like: a trouble's code."""
    area: str = ""
    """Where, if she said so just now."""
    another: bool = False
    """She says that it is another problem than that of her open case."""


@dataclass(frozen=True)
class RecordOutcome:
    case: str
    better: str
    """`better`, `same` or `worse`."""


@dataclass(frozen=True)
class AskLater:
    """Ask again in two weeks whether it got better."""

    case: str


@dataclass(frozen=True)
class SendText:
    """The caller wants it by SMS."""

    template: str


@dataclass(frozen=True)
class SendKiosk:
    kiosk: str


@dataclass(frozen=True)
class SetDuty:
    on_duty: bool


@dataclass(frozen=True)
class AcceptCase:
    case: str


@dataclass(frozen=True)
class AnswerCase:
    case: str
    note: str
    """Catalogue key of the advisory text; said in the farmer's language."""
    label: str


@dataclass(frozen=True)
class AnswerInWords:
    case: str
    words: str
    """As typed, and proved to fit."""
    safe: bool
    """They name a product, and its safety words go with them."""


@dataclass(frozen=True)
class HandOver:
    case: str


@dataclass(frozen=True)
class AskPhoto:
    case: str


Effect = (
    SetLanguage
    | SetArea
    | GiveConsent
    | WithdrawConsent
    | AllowTraining
    | OptOut
    | OptIn
    | SendErasureCode
    | MarkRead
    | Erase
    | RequestOfficer
    | RecordOutcome
    | SendText
    | SendKiosk
    | AskLater
    | SetDuty
    | AcceptCase
    | AnswerCase
    | AnswerInWords
    | HandOver
    | AskPhoto
)
