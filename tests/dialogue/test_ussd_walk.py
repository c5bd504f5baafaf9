"""Several answers in one hop: what is read of a path when the state in between is not known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.cases import life
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.ussd import facts as ask
from gateway.dialogue.ussd import screens
from gateway.dialogue.ussd.engine import Again, Go, Menu, Prompt, Screen, State, Step, Visit
from gateway.dialogue.ussd.facts import FarmerFacts
from gateway.dialogue.ussd.walk import walk
from gateway.settings import Settings
from rig.paper import Paper, new_case

CODE = "K7Q2M93"


@pytest.fixture(scope="module")
def texts() -> Catalogue:
    templates = Settings.model_fields["templates"].default
    return Catalogue.load(templates, ussd="*384*123#", service="Leafline", months="12")


@pytest.fixture(scope="module")
def menu(texts: Catalogue) -> Menu:
    return screens.menu(texts)


def consented() -> Paper:
    paper = Paper(caller=FarmerFacts("en", consented=True, opted_out=False))
    paper.known = [new_case(life.ANSWERED, "maize_rust")]
    return paper


# A question in the middle of a path


def question(texts: Catalogue, fits: set[str]) -> Menu:
    """A menu with one question that takes certain answers, then options."""

    def read(visit: Visit, typed: str) -> Go | Again:
        return Go("after", data={"said": typed}) if typed in fits else Again()

    return Menu(
        [
            Screen("ask", "ussd_code", prompt=Prompt(read, ("after",), tuple(fits)), home=True),
            Screen("after", "ussd_help"),
        ],
        texts,
        first=lambda _: "ask",
        home=lambda _state, _facts: "ask",
    )


@pytest.mark.parametrize(
    ("fits", "path", "screen", "said"),
    [
        ({"a"}, "a", "after", "a"),
        ({"a*b"}, "a*b", "after", "a*b"),
        ({"a"}, "a*98", "after", "a"),  # two answers, of which the first fits
        ({"a", "a*b"}, "a*b", "ask", ""),  # one or two: asked again
        ({"a*b", "c"}, "a*b*c", "after", "a*b"),
        ({"0*x"}, "0*x", "after", "0*x"),  # a standing key is not seen in a longer answer
        ({"a"}, "0*a", "ask", ""),
        (set(), "a*b", "ask", ""),
    ],
)
def test_a_question_is_answered_by_what_alone_fits(
    texts: Catalogue, fits: set[str], path: str, screen: str, said: str
) -> None:
    menu = question(texts, fits)
    step = walk(menu, State("ask", "en"), path.split("*"), Paper(), patient=False)
    assert (step.state.screen, step.state.data.get("said", "")) == (screen, said)


def test_a_pin_is_never_tried_out(menu: Menu) -> None:
    tries: list[str] = []

    class Counting(Paper):
        def pin(self, typed: str) -> str:  # type: ignore[override]
            tries.append(typed)
            return "wrong"

    paper = Counting(official=ask.OfficerFacts("en", on_duty=True))
    walk(menu, menu.start(paper, "en"), ["12", "345", "1"], paper, patient=False)
    assert tries == ["12*345*1"]


@pytest.mark.parametrize(
    ("path", "screen"),
    [
        (f"1*9*{CODE}*1", "prevention"),
        (f"1*9*{CODE[:2]}*{CODE[2:]}*1", "prevention"),
        ("1*9*0*x", "code"),
        ("1*9*0*1", "code"),
        ("1*9*X*1", "code"),
        ("7*5*12345*1", "delete_code"),  # no code is tried out, and no yes dialled ahead counts
        ("7*5*12345", "delete_confirm"),
        (f"7*5*{CODE}", "delete_code"),
    ],
)
def test_codes_in_the_middle_of_a_path(menu: Menu, path: str, screen: str) -> None:
    paper = consented()
    paper.known = [ask.CaseFacts(CODE, life.ANSWERED, paper.known[0].opened, "maize",
                                 "maize_rust", mine=True)]  # fmt: skip
    step = walk(menu, menu.start(paper, "en"), path.split("*"), paper, patient=False)
    assert step.state.screen == screen
    assert step.effects == ()


# Consent given on the way is in the facts by then, and its question still in the path


@pytest.mark.parametrize(
    ("language", "path"),
    [
        ("en", "2*3*1*1*2"),  # no at first, yes when a report needs it
        ("en", "1*3*1"),
        (None, "3*2*3*1*1*2"),
        (None, "00*3*1*2"),  # 00 before the language is known
        (None, "3*1*00*3*1"),  # consent is not asked twice
    ],
)
def test_a_consent_of_this_session_is_found_asked(
    menu: Menu, language: str | None, path: str
) -> None:
    paper = Paper()
    if language:
        paper.caller = FarmerFacts(language, consented=False, opted_out=False)
    session = Session(menu, paper)
    for typed in path.split("*"):
        session.stopped = 0  # the yes itself is asked again; what follows it is not
        session.type(typed)
    assert session.wrong == []
    assert session.stopped == 0


@pytest.mark.parametrize("patient", [False, True])
def test_a_yes_in_one_hop_with_what_follows_it_is_none(menu: Menu, patient: bool) -> None:
    paper = Paper(caller=FarmerFacts("en", consented=False, opted_out=False))
    step = walk(menu, menu.start(paper, "en"), ["1", "4"], paper, patient=patient)
    assert (step.state.screen, step.effects) == ("consent", ())
    assert "agreed" not in step.state.data


@pytest.mark.parametrize(
    ("language", "hops"),
    [
        (None, ["1*2", "1*", "1", "9"]),
        (None, ["77", "1*2", "2", "4", "1", "2"]),
        ("en", ["x", "1*2", "1*2", "1", "8"]),
        ("en", ["00", "4", "1*2", "2", "3", "x", "1", "1"]),
        ("en", ["1*", "6", "1", "2"]),
    ],
)
def test_a_way_to_a_yes_that_cannot_be_told_ends_on_the_menu(
    menu: Menu, language: str | None, hops: list[str]
) -> None:
    """A "no" that was dialled ahead of the question looks like one that was meant."""
    paper = Paper()
    if language:
        paper.caller = FarmerFacts(language, consented=False, opted_out=False)
    session = Session(menu, paper)
    for typed in hops:
        session.type(typed)
    assert session.wrong == []


# Whatever is typed


@dataclass
class Session:
    """A session in which nothing is lost, and beside it each that lost something on the way."""

    menu: Menu
    paper: Paper
    typed: list[str] = field(default_factory=list)
    shown: list[State] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stopped: int = 0
    """Replays that asked something again instead of going on."""

    def __post_init__(self) -> None:
        self.shown.append(self.menu.start(self.paper, "en"))

    @property
    def state(self) -> State:
        return self.shown[-1]

    @property
    def ended(self) -> bool:
        return self.menu.screens[self.state.screen].end

    def type(self, typed: str) -> None:
        self.typed.append(typed)
        true = self._walk(self.state, len(self.shown) - 1)
        from_start = self.menu.start(self.paper, "en")
        self._compare(true, self._walk(from_start, 0), "all is lost")
        for kept, state in enumerate(self.shown):
            self._compare(true, self._walk(state, kept), f"hops from {kept} are lost")
        self.shown.append(true.state)
        for effect in true.effects:
            self.paper.carry_out(effect)
            if isinstance(effect, ask.GiveConsent) and self.paper.caller:
                answers = len("*".join(self.typed).split("*"))
                self.paper.caller = replace(self.paper.caller, agreed_at=answers)

    def _walk(self, state: State, hops: int) -> Step:
        """From a state that was kept after so many hops."""
        text = "*".join(self.typed)
        answers = text[len("*".join(self.typed[:hops])) :].removeprefix("*" if hops else "")
        parts = answers.split("*")
        before = len(text.split("*")) - len(parts)
        return walk(self.menu, state, parts, self.paper, patient=False, before=before)

    def _compare(self, true: Step, found: Step, how: str) -> None:
        """The same, or a screen that she has seen, once more, and nothing done; the menu, where she
        agreed in this session and the way to her yes cannot be told."""
        if _place(found.state) == _place(true.state) and found.effects == true.effects:
            return
        self.stopped += 1
        agreed = bool(self.paper.caller and self.paper.caller.agreed_at)
        at_menu = agreed and found.state.screen == "main"
        known = at_menu or _place(found.state) in map(_place, self.shown)
        if found.effects or not known:
            self.wrong.append(
                f"{self.typed}, {how}: {found.state.screen} {found.effects}, "
                f"not {true.state.screen} {true.effects}"
            )


def _place(state: State) -> tuple[object, ...]:
    chosen = {
        name: state.data.get(name)
        for name in ("case", "label", "crop", "plants", "kiosk", "district", "area")
    }
    return state.screen, state.items, tuple(chosen.items())


@settings(
    max_examples=4 * settings().max_examples,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    caller=st.sampled_from([None, (None, False), ("en", False), ("rw", True), ("en", True)]),
    cases=st.lists(st.sampled_from([life.ANSWERED, life.ESCALATED, life.RECEIVED]), max_size=2),
    places=st.sampled_from([{}, {"Huye": ("Ngoma", "Tumba"), "Kayonza": ("Mukarange",)}]),
    hops=st.lists(
        st.tuples(
            st.sampled_from(["offered"] * 6 + ["key", "code", "junk", "starred"]),
            st.integers(0, 20),
        ),
        max_size=14,
    ),
)
@example(  # two hops lost after seven misses: what cannot be told must not be the eighth
    caller=("rw", True),
    cases=[],
    places={},
    hops=[("offered", 0)] * 2 + [("code", 0)] * 7 + [("key", 0), ("offered", 0)],
)
def test_no_answer_is_read_as_two_and_no_two_as_one(
    menu: Menu,
    caller: tuple[str | None, bool] | None,
    cases: list[str],
    places: dict[str, tuple[str, ...]],
    hops: list[tuple[str, int]],
) -> None:
    known = [new_case(state, "maize_rust") for state in cases]
    paper = Paper(known=known, places=places)
    if caller:
        paper.caller = FarmerFacts(caller[0], consented=caller[1], opted_out=False)
    session = Session(menu, paper)
    for kind, number in hops:
        if session.ended:
            break
        session.type(_typed(session, kind, number))
    assert session.wrong == []


def _typed(session: Session, kind: str, number: int) -> str:
    codes = [case.code for case in session.paper.known] or [CODE]
    code = codes[number % len(codes)]
    screen = session.menu.screens[session.state.screen]
    offered = [option.number for option in screen.options]
    offered += [str(n) for n in range(1, len(session.state.items) + 1)]
    choices = {
        "offered": offered or [code],
        "key": ["0", "00", "98"],
        "code": [code, code.lower(), code[:-1]],
        "junk": ["", "x", "77", "#"],
        "starred": ["0*x", "1*2", f"{code[:3]}*{code[3:]}", f"{code}*1", "00*4*1", "*", "1*"],
    }[kind]
    return choices[number % len(choices)]
