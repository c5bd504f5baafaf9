"""What farmers write and get back: one table of dialogues, on SQLite and without a web server.

A row is (who, state before, text, what the reply says, what else is true afterwards). A text may
hold `{code}` for her case, `{wrong}` for its code with a letter wrong, `{other}` for a neighbour's.
"""

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

NOTHING = ""
STOPPED_EN, STOPPED_FR = "STOP confirmed", "STOP confirmé"
STOPPED_RW, STOPPED_SW = "STOP yemejwe", "STOP imekubaliwa"
OFFER = "Reply 1"
ASKS = "Nothing was stopped"
RUST = "Maize common rust"

ROWS: list[tuple[str, str, str, tuple[str, ...]]] = [
    # STOP is generous, in any language, whatever was said before.
    ("known", "please stop sending these", STOPPED_EN, ("stopped",)),
    ("known", "OPT OUT", STOPPED_EN, ("stopped",)),
    ("helped", "opt-out", STOPPED_EN, ("stopped",)),
    ("helped", "Please STOP", STOPPED_EN, ("stopped",)),
    ("known", "No more messages", STOPPED_EN, ("stopped",)),
    ("known", "don't text me again", STOPPED_EN, ("stopped",)),
    ("known", "Kindly remove my number", STOPPED_EN, ("stopped",)),
    ("known", "I want to stop", STOPPED_EN, ("stopped",)),
    ("known", "\u2066stop\u2069", STOPPED_EN, ("stopped",)),
    ("known", "“STOP”", STOPPED_EN, ("stopped",)),
    ("eight replies", "stop it", STOPPED_EN, ("stopped",)),
    ("offered", "Unsubscribe please", STOPPED_EN, ("stopped",)),
    ("with officer", "STOP ALL", STOPPED_EN, ("stopped", "not told")),
    ("stranger", "acheni", STOPPED_SW, ("stopped",)),
    ("stranger", "Acheni kunitumia ujumbe", STOPPED_SW, ("stopped",)),
    ("speaks sw", "Tafadhali simamisha ujumbe", STOPPED_SW, ("stopped",)),
    ("stranger", "sitaki ujumbe wenu", STOPPED_SW, ("stopped",)),
    ("stranger", "Arrêtez les messages", STOPPED_FR, ("stopped",)),
    ("speaks fr", "svp arrêtez", STOPPED_FR, ("stopped",)),
    ("stranger", "Ne m’envoyez plus de SMS", STOPPED_FR, ("stopped",)),
    ("stranger", "hagarika ubutumwa", STOPPED_RW, ("stopped",)),
    ("speaks rw", "Mureke kunyoherereza ubutumwa", STOPPED_RW, ("stopped",)),
    ("stranger", "wacha kunitumia meseji", STOPPED_SW, ("stopped",)),
    ("stranger", "Ndashaka guhagarika ubutumwa", STOPPED_RW, ("stopped",)),
    # What names the field is asked about.
    ("known", "Stop the rust", ASKS, ("not stopped",)),
    ("known", "Cancel my case", ASKS, ("not stopped",)),
    ("known", "please stop my beans from dying", ASKS, ("not stopped",)),
    ("known", "Stop the armyworms", ASKS, ("not stopped",)),
    ("speaks sw", "Simamisha ugonjwa", "Hakuna kilichosimamishwa", ("not stopped",)),
    ("speaks fr", "Arrêter la rouille", "Rien n'a", ("not stopped",)),
    ("speaks rw", "Hagarika umugese", "Nta cyahagaritswe", ("not stopped",)),
    ("known", "how do I stop it spreading", OFFER, ("not stopped", "for learning")),
    # START is strict.
    ("stopped", "START", "START confirmed", ("not stopped",)),
    ("stopped", "Start of rains is late this year", NOTHING, ("stopped",)),
    ("stopped", "Anza msimu lini", NOTHING, ("stopped",)),
    ("stopped", "start spraying?", NOTHING, ("stopped",)),
    ("stopped", "Commencer la saison", NOTHING, ("stopped",)),
    ("stopped, with officer", "it is worse now", NOTHING, ("stopped", "attached")),
    # Languages by any name.
    ("known", "lang french", "francais", ("fr",)),
    ("known", "lugha kiingereza", "in English", ("en",)),
    ("known", "ururimi igifaransa", "francais", ("fr",)),
    ("known", "langue anglais", "in English", ("en",)),
    ("known", "Kiswahili tafadhali", "Kiswahili", ("sw",)),
    ("known", "lugha kinyarwanda", "Kinyarwanda", ("rw",)),
    ("known", "change language to french", "francais", ("fr",)),
    ("known", "badilisha lugha kiswahili", "Kiswahili", ("sw",)),
    ("known", "LANG klingon", "Which language?", ("en",)),
    # A new sender is answered in the language she wrote.
    ("stranger", "mahindi yangu yana ugonjwa gani", "AFISA", ("for learning",)),
    ("stranger", "ibigori byanjye birarwaye", "AGORONOME", ("for learning",)),
    ("stranger", "mes haricots sont malades", "AGRONOME", ("for learning",)),
    ("stranger", "what is eating my maize", "Send OFFICER", ("for learning",)),
    # RESULT as people write it.
    ("has a case", "“RESULT”", RUST, ("understood",)),
    ("has a case", "RESULT?", RUST, ("understood",)),
    ("has a case", "Jibu langu", RUST, ("understood",)),
    ("has a case", "igisubizo cyanjye", RUST, ("understood",)),
    ("has a case", "mon résultat svp", RUST, ("understood",)),
    ("has a case", "my answer", RUST, ("understood",)),
    ("has a case", "my result please", RUST, ("understood",)),
    ("has a case", "\u200b{code}\ufeff", RUST, ("understood",)),
    ("has a case", "My code is {code}", RUST, ("understood",)),
    ("has a case", "{wrong}", "Did you mean {code}", ("understood",)),
    ("has a case", "RESULT {wrong}", "Did you mean {code}", ("understood",)),
    ("asked which", "1", RUST, ("understood",)),
    ("asked which", "yes", RUST, ("understood",)),
    ("nine cases", "RESULT", "{code}", ("understood",)),
    ("two cases", "MORE {code}", "next planting", ("understood",)),
    ("two cases", "zaidi {code}", "next planting", ("understood",)),
    ("two cases", "MORE", RUST, ("understood",)),
    # What people ask about and the camera does not know has a page.
    ("stranger", "armyworm", "crush eggs", ("understood",)),
    ("known", "Fall army worms!", "crush eggs", ("understood", "no officer")),
    ("known", "my maize has armyworm", "crush eggs", ("understood",)),
    ("speaks sw", "viwavi jeshi", "ponda mayai", ("understood",)),
    ("speaks fr", "chenille légionnaire?", "oeufs", ("understood",)),
    ("speaks rw", "nkongwa", "amagi", ("understood",)),
    ("stranger", "MLN", "necrosis", ("understood",)),
    ("speaks fr", "manque d’azote", "azote", ("understood",)),
    ("speaks sw", "CBSD", "Michirizi", ("understood",)),
    ("with officer", "armyworm too", "go to the officer", ("attached",)),
    ("known", "the armyworm has eaten all of my field since Monday", OFFER, ("for learning",)),
    ("stopped", "armyworm", NOTHING, ("stopped",)),
    # Her own words reach a person.
    (
        "with officer",
        "{code} it did not help",
        "go to the officer",
        ("attached", "told the officer"),
    ),
    ("with officer", "it is spreading", "go to the officer", ("attached", "told the officer")),
    ("with officer", "thanks", "go to the officer", ("attached", "told the officer")),
    ("with officer", "Should I spray?", "go to the officer", ("attached", "for learning")),
    ("with officer", "More leaves turn yellow each day", "go to the officer", ("attached",)),
    ("nobody on duty", "it is spreading", "No officer is free", ("attached", "not told")),
    ("duty", "it is spreading", OFFER, ("no officer", "for learning")),
    ("duty", "{code} it did not help", OFFER, ("no officer", "for learning")),
    ("speaks sw", "haijapona bado", "Jibu 1", ("for learning",)),
    ("speaks fr", "ma plante est toujours malade", "Répondez 1", ("for learning",)),
    ("speaks rw", "ntabwo byakize", "Subiza 1", ("for learning",)),
    ("offered", "1", "Officer will call you", ("an officer", "one case")),
    ("offered", "Yes", "Officer will call you", ("an officer", "one case")),
    ("known", "1", OFFER, ("no officer",)),
    # OFFICER joins her open case.
    ("with officer", "OFFICER", "with an officer", ("an officer", "one case")),
    ("with officer", "OFFICER another problem", "Officer will call you", ("two cases",)),
    ("with officer", "OFFICER my beans too", "Officer will call you", ("two cases",)),
    ("with officer", "OFFICER my maize", "with an officer", ("one case",)),
    ("with officer", "OFFICER {wrong}", "Did you mean {code}", ("one case",)),
    ("duty", "OFFICER {code} please come and see", "Officer will call you", ("attached",)),
    ("duty", "I need an officer", "Officer will call you", ("an officer", "one case")),
    ("photo asked", "AFISA", "Officer will call you", ("an officer", "one case")),
    # Nobody on duty: no text says that somebody has it.
    ("nobody on duty", "RESULT", "No officer on duty", ()),
    ("nobody on duty", "{code}", "No officer on duty", ()),
    ("nobody on duty", "OFFICER", "No officer on duty", ("one case",)),
    # A promise says who and when.
    ("promised", "RESULT", "Ada will visit you by 28/12/", ("one case",)),
    ("promised", "{code}", "Ada will visit you by 28/12/", ()),
    ("promised", "OFFICER", "Ada will visit you by 28/12/", ("an officer", "one case")),
    ("promised", "it is spreading", "go to the officer", ("attached", "told the officer")),
    ("promised fr", "mon résultat svp", "Ada vous appellera d'ici le 28/12/", ()),
    ("promised rw", "igisubizo cyanjye", "Ada azagusura bitarenze 28/12/", ()),
    ("promised sw", "jibu langu", "Ada atakutembelea kabla ya kuisha 28/12/", ()),
    # A changed SIM.
    ("old number", "SIM {code} 0077 maize", "comes to this number", ("hers", "old number told")),
    ("old number", "I lost my sim, {code} 0077 maize", "comes to this number", ("hers",)),
    ("old number", "puce {code} +250788000077 maïs", "comes to this number", ("hers",)),
    ("old number", "nimepoteza laini {code} mahindi Muhazi", "comes to this", ("hers",)),
    ("old number", "simukadi nshya {code} 0077 rwamagana", "comes to this", ("hers",)),
    ("old number", "SIM {code} 0078 maize rwamagana", "last 4 digits", ("not hers",)),
    ("old number", "SIM {code} 0077", "last 4 digits", ("not hers",)),
    ("old number", "SIM {code} 0077 beans", "last 4 digits", ("not hers",)),
    ("old number", "SIM {code} maize beans cassava", "last 4 digits", ("not hers",)),
    ("old number", "SIM 0077 maize", "last 4 digits", ("not hers",)),
    ("old number", "New number {code}", "last 4 digits", ("not hers",)),
    # The last reply says so.
    ("five replies", "HELP", "last SMS for ten minutes", ()),
    ("five replies", "RESULT", "dial *", ()),
]


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
