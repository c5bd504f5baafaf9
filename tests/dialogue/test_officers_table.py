"""What officers and the operator write: (who, input, state) to the reply and its effects.

A row is one message, in a state that `STATES` makes. `{code}` is the open case, `{other}` a second
one with the same officer where the state has it, `{closed}` one that was answered before.
"""

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
from tests.dialogue.conftest import OFFICER, MakeCase

OPERATOR = "+250788000077"
_ids = itertools.count()

NOT_SENT = "NOT sent"
LONG = (
    "Uproot all of the sick plants that you find in the lower part of your field only if I "
    "confirm on Friday, and until then keep the goats out of it"
)
TOO_LONG = "Look at the leaves every morning and write down what you see there. " * 6


@dataclass(frozen=True)
class Row:
    """state: see `_in_state`. relayed: what the farmer reads, or empty for nothing at all."""

    state: str
    text: str
    reply: str
    relayed: str = ""
    open: bool = True
    """The case still waits for an answer afterwards."""
    label: str | None = None
    who: str = OFFICER


R = Row
ROWS = [
    # Words are never cut
    R(
        "one",
        "{code} Bury the worst leaves when dry",
        "closed",
        "Bury the worst leaves",
        open=False,
    ),
    R("one", "{code} " + LONG, "in 2 SMS", "only if I confirm on Friday", open=False),
    R("one", LONG, "in 2 SMS", "goats out of it", open=False),
    R("one", "{code} " + TOO_LONG, "letters fit in 3 SMS"),
    R("one-fr", "{code} " + TOO_LONG, "NON envoyé"),
    R("one", "{code} ሰላም የኔ", "ETHIOPIC"),
    # Small talk, in four languages
    R("one", "Merci beaucoup", NOT_SENT),
    R("one", "{code} merci bien monsieur", NOT_SENT),
    R("one", "Murakoze cyane", NOT_SENT),
    R("one-rw", "mwaramutse neza", "NTIBYOHEREJWE"),
    R("one", "asante sana ndugu", NOT_SENT),
    R("one-sw", "{code} tayari", "HAIJATUMWA"),
    R("one", "Good morning, how are you?", NOT_SENT),
    R("one", "{code} done", NOT_SENT),
    R("one", "{code} yes", NOT_SENT),
    R("one", "yego", NOT_SENT),
    R("one", "ndiyo", NOT_SENT),
    R("one", "1", NOT_SENT),
    R("one", "{code} 2", NOT_SENT),
    R("one", "OK thanks", NOT_SENT),
    R("one", "👍", NOT_SENT),
    R("one", "{code} noted, thank you", NOT_SENT),
    # Questions, one word, being away
    R("one", "who is this?", "Is this advice?"),
    R("one", "Uyu ni nde", "Is this advice?"),
    R("one-sw", "huyu ni nani", "ushauri?"),
    R("one-fr", "C'est pour quel champ exactement?", "un conseil?"),
    R("one", "{code} Mort", "Is this advice?"),
    R("one", "I am busy today", "waits for you"),
    R("one", "Je suis en congé", "waits for you"),
    R("one-sw", "nina shughuli leo", "inakusubiri"),
    # Wishes
    R("one", "photo please", "asked for another photo", "Photo needed"),
    R("one", "{code} another picture please", "asked for another photo", "Photo needed"),
    R("one-fr", "une autre photo svp", "autre photo", "Photo needed"),
    R("one-rw", "mwohereze indi foto", "indi foto", "Photo needed"),
    R("one-sw", "tuma picha nyingine", "picha nyingine", "Photo needed"),
    R("two", "photo please", "Which case?"),
    R("one", "pass to colleague", "no colleague is on duty"),
    R("colleague", "pass to colleague", "went to a colleague"),
    R("colleague", "{code} hand over", "went to a colleague"),
    R("colleague", "passer à un collègue svp", "went to a colleague"),
    R("colleague", "wihe mugenzi wanjye", "went to a colleague"),
    R("colleague", "mpe mwenzangu tafadhali", "went to a colleague"),
    # Commands of the farmers' list
    R("one", "RESULT", "To answer"),
    R("one", "MSAADA", "To answer"),
    R("one", "Igisubizo", "To answer"),
    R("one", "aide svp", "To answer"),
    R("one", "{code} RESULTAT", "maize"),
    # Reactions, forwards, automatic replies
    R("one", "Liked “CASE {code} maize: common rust? 90%”", NOT_SENT),
    R("one", "Loved “Bury the worst leaves when dry”", NOT_SENT),
    R("one", 'Emphasised "Which case? Begin your SMS with its code"', NOT_SENT),
    R("one", "Reacted 👍 to “Case {code} waits”", NOT_SENT),
    R("one", "❤ to “Bury the leaves”", NOT_SENT),
    R("one", "A aimé « Brûlez les feuilles malades »", NOT_SENT),
    R("one", "{briefing}", NOT_SENT),
    R("one", "Fwd: {briefing}", NOT_SENT),
    R("one", "> To answer: the case code, then your words.", NOT_SENT),
    R("one", "I'm driving right now - I'll get back to you later.", NOT_SENT),
    R("one", "Automatic reply: I am out of the office until Monday", NOT_SENT),
    R("one-fr", "Je conduis, je vous rappelle plus tard", "NON envoyé"),
    R("one", "Ninaendesha gari sasa hivi", NOT_SENT),
    # Words of our own instructions
    R("one", "SMS {code} Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "CASE {code} Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "Answer {code} Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "Jibu {code}: Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "“{code} Bury the sick leaves”", "closed", ": Bury the sick leaves - Tel", open=False),
    R("one", "{code} {code} Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R("one", "SMS {code} ... Bury the sick leaves", "closed", ": Bury the sick", open=False),
    R(
        "one",
        "\u2068{code}\u2069 Bury\u200b the sick leaves",
        "closed",
        "Bury the sick",
        open=False,
    ),
    R("one", "SMS {code} ...", "maize"),
    # Label and crop
    R("one", "{code} ok rust", "closed", "common rust", open=False, label="maize_rust"),
    R("one", "{code} OK mahindi kutu", "closed", "common rust", open=False, label="maize_rust"),
    R("beans", "{code} ok rust", "beans: which one?"),
    R("beans", "{code} OK", "the photo looks like maize, the farmer said beans"),
    R("beans", "{code} OK bean rust", "SPOT"),
    R("beans", "{code} ok spot", "closed", "angular leaf spot", open=False, label="bean_spot"),
    R("one", "{code} OK weevils", "RUST, BLIGHT"),
    R("one", "{code} ok not rust", "which one?"),
    R("one", "{code} OK but do not spray before Friday", "closed", "do not spray", open=False),
    R("unknown", "{code} OK", "which one?"),
    R("unknown", "{code} ?", "leaf not recognised"),
    R("one", "{code} “Bury the sick leaves”", "closed", ": Bury the sick leaves - Tel", open=False),
    # Products and doses
    R("one", "{code} Spray mancozeb 2g per litre", "product or dose (mancozeb"),
    R("one", "{code} Dithane 20 ml in 15 l water", "product or dose"),
    R("one-sw", "{code} weka vijiko 2 kwa lita 15 za maji", "dawa au kipimo"),
    R("one-fr", "{code} Pulvérisez du Ridomil chaque semaine", "produit ou une dose"),
    # Promises
    R("one", "{code} I will come on Friday", "stays open", "I will come on Friday"),
    R("one", "{code} Je viendrai samedi matin", "stays open", "Je viendrai samedi"),
    R("one", "{code} Nitakupigia kesho asubuhi", "stays open", "Nitakupigia kesho"),
    R(
        "promise",
        "{code} I will visit on Friday",
        "by 04/12/2026",
        "Ada will visit you by 04/12/2026",
    ),
    R("promise", "I'll call", "by 30/11/2026", "Ada will call you by 30/11/2026"),
    R("promise", "Hello, tomorrow I will pass by the field", "by 29/11/2026", "visit you by 29/11"),
    R("promise", "Keep a leaf. I can come in 3 days", "by 01/12/2026", "Keep a leaf"),
    R("promise", "I will come and see on 12 Dec", "by 12/12/2026", "visit you by 12/12/2026"),
    R(
        "promise",
        "Keep a leaf\nI will call tomorrow",
        "by 29/11/2026",
        "Ada will call you by 29/11",
    ),
    R(
        "promise",
        "Keep one\u2026 I will call tomorrow",
        "by 29/11/2026",
        "Ada will call you by 29/11",
    ),
    R("promise", "on my way", "by 30/11/2026", "visit you by 30/11"),
    R("promise", "Call me", "stays open", "Call me"),
    R(
        "promise-fr",
        "Je vais vous appeler après-demain",
        "d'ici le 30/11/2026",
        "call you by 30/11",
    ),
    R("promise-fr", "{code} nous passerons lundi", "d'ici le 30/11/2026", "visit you by 30/11"),
    R("promise-fr", "Je passerai voir mon champ", "d'ici le 30/11/2026", "visit you by 30/11"),
    R("promise-rw", "Nzagusura kuwa gatanu", "bitarenze 04/12/2026", "visit you by 04/12"),
    R("promise-rw", "{code} tuzabahamagara ejo", "bitarenze 29/11/2026", "call you by 29/11"),
    R("promise-sw", "Nitakutembelea Jumatano", "kuisha 02/12/2026", "visit you by 02/12"),
    R(
        "promise-sw",
        "{code} kesho kutwa nitakupigia simu",
        "kuisha 30/11/2026",
        "call you by 30/11",
    ),
    R("promise", "{code} Visit the agrodealer on Friday", "closed", "Visit the agro", open=False),
    R("promise", "{code} Bury them; I will not come", "closed", "I will not come", open=False),
    # Which case
    R("two", "Bury the sick leaves", "Which case?"),
    R("two", "23K7Q2M bury the leaves", "Which case?"),
    R("two", "{other} Bury the sick leaves", "closed", "Bury the sick leaves"),
    R("none", "Bury the sick leaves", "no open case"),
    R("one", "LIST", "Open: "),
    # Duty
    R("one", "OFF", "off duty"),
    R("one", "STOP", "off duty"),
    R("one", "acha", "off duty"),
    R("one", "CANCEL", "off duty"),
    R("one", "stop sending me messages", "off duty"),
    R("one", "OFF until 5 Dec", "06/12/2026"),
    R("one", "OFF hadi 31 desemba", "01/01/2027"),
    R("one", "off until further", "Until which day?"),
    R("one", "ON", "on duty"),
    # UNDO without anything to take back
    R("one", "UNDO", "no answer to take back"),
    # The operator
    R("operator", "{code} Bury the sick leaves", "closed", "Bury the sick", False, who=OPERATOR),
    R("operator", "{code} ok rust", "closed", "common rust", False, "maize_rust", OPERATOR),
    R("operator", "Bury the sick leaves today", "closed", "Bury", open=False, who=OPERATOR),
    R("operator", "thank you", NOT_SENT, who=OPERATOR),
    R("operator", "HELP", "RESULT: your answer", who=OPERATOR),
    R("operator", "{code} I will call today", "by 28/11/2026", "will call you by", who=OPERATOR),
]


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
