"""What people type over USSD and what they get: one table over four languages.

A row is (who, language, what is typed hop by hop, what the last screen says, what else is true
afterwards). `>` parts the hops; `code` is the case's, `digits` are those of the last SMS.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from gateway.cases import escalation
from gateway.cases.case import by_code, open_case
from gateway.context import Context
from gateway.dialogue.ussd import answer
from gateway.dialogue.ussd.phone import Phone
from gateway.people import farmers, kiosks, officers
from gateway.privacy import consent
from gateway.store.models import Case, Escalation, Message
from tests.dialogue.conftest import FARMER, OFFICER

AREA = "Rwamagana/Muhazi"
LANGUAGES = ("en", "fr", "rw", "sw")


@dataclass
class Scene:
    context: Context
    language: str
    code: str = ""

    def phone(self, number: str = FARMER) -> Phone:
        code = self.context.settings.ussd_code
        return Phone(lambda request: answer(self.context.ussd, request).body, number, code=code)

    def said(self, number: str = FARMER) -> list[str]:
        with self.context.store.reading() as session:
            query = select(Message).where(
                Message.direction == "out",
                Message.address_digest.in_(self.context.store.vault.numbers(number)),
            )
            return [str(row.text) for row in session.scalars(query.order_by(Message.id))]

    def last_case(self) -> Case | None:
        with self.context.store.reading() as session:
            return session.scalars(select(Case).order_by(Case.id.desc())).first()

    def told(self) -> dict[str, str]:
        case = self.last_case()
        return dict(case.answers or {}) if case else {}

    def held(self) -> int:
        with self.context.store.reading() as session:
            rows = select(Escalation).where(Escalation.closed_at.is_(None))
            return len(session.scalars(rows).all())

    def farmer(self) -> farmers.Farmer | None:
        with self.context.store.reading() as session:
            return farmers.find(session, FARMER)


def _known(scene: Scene, area: str | None = AREA) -> None:
    with scene.context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        farmers.set_language(session, farmer, scene.language, by="test")
        consent.give(session, farmer, by="kiosk:1")
        farmer.area = area


def _kiosks(scene: Scene) -> None:
    _known(scene)
    with scene.context.store.transaction() as session:
        for name, area in (("Huye one", "Huye/Tumba"), ("Muhazi shop", AREA),
                           ("Musha market", "Rwamagana/Musha"), ("Gishari", "Rwamagana/Gishari"),
                           ("Karenge", "Rwamagana/Karenge")):  # fmt: skip
            kiosks.add(session, name, area, "Tue")


def _duty(scene: Scene) -> None:
    _kiosks(scene)
    with scene.context.store.transaction() as session:
        officers.add(session, OFFICER, "Ada", "Rwamagana", [scene.language])


def _lost(scene: Scene) -> None:
    _duty(scene)
    _known(scene, None)


def _case(scene: Scene, **values: str) -> None:
    _duty(scene)
    with scene.context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        case = open_case(session, farmer, source="kiosk", crop="maize")
        scene.code = case.code
        for name, value in values.items():
            setattr(case, name, value)


def _answered(scene: Scene) -> None:
    _case(scene)
    with scene.context.store.transaction() as session:
        case = by_code(session, scene.code)
        assert case is not None
        escalation.escalate(session, scene.context.desk, case, "unknown", actor="machine")
        officer = officers.by_phone(session, OFFICER)
        escalation.answer(session, scene.context.desk, officer, case, "Bury them, keep no seed.")


def _two(scene: Scene) -> None:
    _answered(scene)
    with scene.context.store.transaction() as session:
        open_case(session, farmers.find_or_create(session, FARMER), source="kiosk")


def _read(scene: Scene) -> None:
    _two(scene)
    scene.phone().dial().answer("00").drop()


WHO: dict[str, Callable[[Scene], None]] = {
    "stranger": lambda scene: None,
    "known": _known,
    "kiosks": _kiosks,
    "duty": _duty,
    "nowhere": _lost,
    "rust": lambda scene: _case(scene, state="answered", label="maize_rust"),
    "waits": lambda scene: _case(scene, state="received"),
    "answered": _answered,
    "two": _two,
    "read": _read,
}
FACTS: dict[str, Callable[[Scene], bool]] = {
    "an officer": lambda scene: scene.held() == 1,
    "no officer": lambda scene: scene.held() == 0,
    "armyworm": lambda scene: scene.told().get("sounds") == "armyworm",
    "mln": lambda scene: scene.told().get("sounds") == "lethal_necrosis",
    "brown streak": lambda scene: scene.told().get("sounds") == "brown_streak",
    "rust": lambda scene: scene.told().get("sounds") == "maize_rust",
    "nothing heard": lambda scene: "sounds" not in scene.told() and bool(scene.told()),
    "all told": lambda scene: {"stage", "plants", "look"} <= set(scene.told()),
    "no case": lambda scene: scene.last_case() is None,
    "officer reads it": lambda scene: len(scene.said(OFFICER)) == 1,
    "sms": lambda scene: len(scene.said()) == 1,
    "no sms": lambda scene: scene.said() == [],
    "gone": lambda scene: scene.farmer() is None,
    "kept": lambda scene: scene.farmer() is not None,
    "placed": lambda scene: (scene.farmer() or farmers.Farmer()).area == "Huye/Tumba",
    "not placed": lambda scene: (scene.farmer() or farmers.Farmer()).area is None,
}

KEYS = ("98", "0 ")
SOUNDS = {"en": "Sounds like", "fr": "Cela ressemble", "rw": "Birasa na", "sw": "Inafanana na"}
WHERE = {"en": "Where is your", "fr": "Où est", "rw": "uri he?", "sw": "liko wapi?"}
SOON = {"en": "will call you", "fr": "appel", "rw": "guhamagara", "sw": "kupigia"}
LOOKS = {"en": "What does it look", "fr": "A quoi cela", "rw": "Bisa bite?", "sw": "Inaonekanaje?"}
WRONG = {
    "en": "Not understood.",
    "fr": "Pas compris.",
    "rw": "Ntibyumvikanye.",
    "sw": "Haijaeleweka.",
}
CODE = {"en": "comes to this phone", "fr": "arrive par SMS", "rw": "kuri iyi telefoni",
        "sw": "kwenye simu hii"}  # fmt: skip

EVERY: list[tuple[str, str, dict[str, str] | str, tuple[str, ...]]] = [
    # A report without a photo: advice ...
    ("kiosks", "3>1>1>2>4>1", SOUNDS, ("no case",)),
    ("kiosks", "3>1>1>2>1>1", SOUNDS, ("no case",)),
    ("kiosks", "3>2>1>2>2>2", SOUNDS, ("no case",)),
    ("kiosks", "3>3>1>1>1>2", SOUNDS, ("no case",)),
    ("kiosks", "3>1>1>2>4>1>3", "Muhazi shop", ("no case",)),
    ("kiosks", "3>1>1>2>4>1>98>1", "", ("sms", "no case")),
    ("kiosks", "3>1>1>2", LOOKS, ("no case",)),
    # ... or an officer, with every answer.
    ("duty", "3>1>1>2>3>2", SOON, ("an officer", "mln", "all told", "officer reads it")),
    ("duty", "3>3>1>2>3>1", SOON, ("an officer", "brown streak", "all told")),
    ("duty", "3>1>1>4>4>2", SOON, ("an officer", "armyworm", "all told")),
    ("duty", "3>1>2>3>1>1", SOON, ("an officer", "rust", "all told")),
    ("duty", "3>1>1>2>9>1", SOON, ("an officer", "nothing heard", "all told")),
    ("duty", "3>3>1>2>2>2", SOON, ("an officer", "nothing heard", "all told")),
    ("duty", "3>4>1>2>1", SOON, ("an officer", "nothing heard")),
    ("duty", "3>1>1>2>4>1>2", SOON, ("an officer", "armyworm", "all told")),
    # A wrong key asks again; what was chosen before stays.
    ("kiosks", "3>1>1>2>7>4>1", SOUNDS, ("no case",)),
    ("kiosks", "3>1>1>2>rust", WRONG, ("no case",)),
    ("kiosks", "3>1>1>2>1>0>4>1", SOUNDS, ("no case",)),
    # Where the field is.
    ("nowhere", "4", WHERE, ("no case", "not placed")),
    ("nowhere", "3>xyz", WHERE, ("no case", "not placed")),
    ("nowhere", "4>huye>tumba>2", "", ("an officer", "placed")),
    ("nowhere", "5>90>huye>tumba", "Huye/Tumba", ("placed", "no case")),
    ("stranger", "1", "", ("no case", "no sms")),
    # Results open on dialling.
    ("rust", "", "?", ("no officer", "no sms")),
    ("waits", "", "<code>", ("no officer",)),
    ("answered", "", "Bury them, keep no seed.", ()),
    ("two", "", "Bury them, keep no seed.", ()),
    ("read", "", "1 ", ()),
    ("read", "1>2", "Bury them, keep no seed.", ()),
    ("answered", "2>1", {"en": "common rust", "fr": "rouille", "rw": "umugese", "sw": "kutu"}, ()),
    # Deleting takes digits that only the phone gets.
    ("answered", "00>7>5", CODE, ("kept",)),
    ("answered", "00>7>5>code", CODE, ("kept",)),
    ("answered", "00>7>5>12", CODE, ("kept",)),
    ("answered", "00>7>5>digits>1", "", ("gone",)),
    ("known", "7>5>1", "", ("gone",)),
    # Pages of what the camera does not know.
    ("known", "2>1>4", {"en": "crush eggs", "fr": "oeufs", "rw": "amagi", "sw": "mayai"}, ()),
    ("known", "2>1>5", {"en": "necrosis", "fr": "létale", "rw": "MLN", "sw": "MLN"}, ()),
    ("known", "2>1>6", {"en": "Nitrogen", "fr": "azote", "rw": "azote", "sw": "nitrojeni"}, ()),
    ("known", "2>3>2", {"en": "brown streak", "fr": "brune", "rw": "Kubora", "sw": "Michir"}, ()),
    ("known", "2>1>4>1", {"en": "next", "fr": "prochaine", "rw": "gitaha", "sw": "ujao"}, ()),
]  # fmt: skip
ROWS = [
    (who, language, typed, says[language] if isinstance(says, dict) else says, facts)
    for who, typed, says, facts in EVERY
    for language in LANGUAGES
]


@pytest.mark.parametrize(
    ("who", "language", "typed", "says", "facts"), ROWS, ids=[f"{r[0]} {r[1]} {r[2]}" for r in ROWS]
)
def test_a_row(
    context: Context, who: str, language: str, typed: str, says: str, facts: tuple[str, ...]
) -> None:
    scene = Scene(context, language)
    WHO[who](scene)
    phone = scene.phone().dial()
    for hop in filter(None, typed.split(">")):
        phone.answer(_typed(scene, hop))
    assert says.replace("<code>", scene.code) in phone.screen, phone.screen
    assert [fact for fact in facts if not FACTS[fact](scene)] == []


def _typed(scene: Scene, hop: str) -> str:
    if hop == "digits":
        return re.findall(r"\b\d{5}\b", scene.said()[-1])[0]
    return scene.code if hop == "code" else hop


def test_there_are_enough_rows_in_every_language() -> None:
    assert min(Counter(row[1] for row in ROWS).values()) >= 35
    assert len(ROWS) >= 150


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_officer_reads_what_she_saw(context: Context, language: str) -> None:
    """By SMS what it sounds like, by USSD also in her own choice of words."""
    scene = Scene(context, language)
    _duty(scene)
    with context.store.transaction() as session:
        officer = officers.by_phone(session, OFFICER)
        assert officer is not None
        pin = officers.new_pin(session, officer, by="test")
    phone = scene.phone().dial()
    for typed in ["3", "3", "1", "2", "1", "1"]:
        phone.answer(typed)
    texts = context.catalogue
    name = texts.text("disease_brown_streak", language)
    (sms,) = scene.said(OFFICER)
    assert name in sms
    desk = scene.phone(OFFICER).dial().answer(pin).answer("1").answer("1")
    shown = [desk.screen]
    while "\n98 " in desk.screen:
        shown.append(desk.answer("98").screen)
    seen = " ".join(line for page in shown for line in page.splitlines() if line[:2] not in KEYS)
    for key in ("option_look_twisted", "option_sign_streaks_too"):
        assert texts.text(key, language) in seen


def test_three_kiosks_the_nearest_first(context: Context) -> None:
    scene = Scene(context, "en")
    _kiosks(scene)
    phone = scene.phone().dial()
    for typed in ["3", "1", "1", "2", "4", "1"]:
        phone.answer(typed)
    seen = phone.screen
    while "\n98 " in phone.screen:
        seen += "\n" + phone.answer("98").screen
    assert re.findall(r"^[345] (.*)$", seen, re.MULTILINE) == ["Muhazi shop", "Gishari", "Karenge"]
    assert "Huye one" not in seen
