"""The USSD engine: (state, what was typed, facts) -> (state', effects), and state -> screen.

Pure: it neither reads a clock nor touches Redis or the store. Screens are declared one by one
(`screens/`) and found by name. 0 goes back, 00 to the main menu, 98 shows more; they mean this on
every screen and no option may have them as its number.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.ussd.facts import Effect, Facts
from gateway.dialogue.ussd.pages import Footer, paginate

BACK, HOME, MORE = "0", "00", "98"
RESERVED = frozenset({BACK, HOME, MORE})

KEPT = ("pin", "asked", "agreed", "area")
"""What the main menu does not forget: that an officer gave the PIN, that a newcomer was asked, that
consent was given in this session, and where the field is."""
DEEPEST = 24
"""Screens remembered for going back; the oldest are forgotten first."""
MISSES = 8
"""Inputs that fit nothing, one after the other, before the session ends: a pocket, or a bot."""
ANSWER_LIMIT = 90
"""Characters of one answer that we read; operators cap one at 80 to 90."""


@dataclass(frozen=True)
class State:
    """Where one session is. Plain values only, so that it survives as JSON."""

    screen: str
    language: str
    page: int = 0
    note: str = ""
    """Key of a line said above the screen once, such as "not understood"."""
    noted: int = 0
    """The page that it is said on."""
    data: Mapping[str, str] = field(default_factory=dict)
    """What was chosen on the way."""
    items: tuple[str, ...] = ()
    """The list as shown, so that a number means what it meant when it was read."""
    back: tuple[str, ...] = ()
    misses: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "screen": self.screen,
            "language": self.language,
            "page": self.page,
            "note": self.note,
            **({"noted": self.noted} if self.noted else {}),  # an older program knows none
            "data": dict(self.data),
            "items": list(self.items),
            "back": list(self.back),
            "misses": self.misses,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> State:
        return cls(**{**value, "items": tuple(value["items"]), "back": tuple(value["back"])})


@dataclass(frozen=True)
class Visit:
    """A screen being shown or answered: all that its functions may look at."""

    state: State
    facts: Facts
    texts: Catalogue

    def say(self, key: str, **values: object) -> str:
        return self.texts.render(key, self.state.language, **values)

    def say_whole(self, key: str, **values: object) -> str:
        """With values of any length, which make more pages."""
        return self.texts.whole(key, self.state.language, **values)

    def __getitem__(self, name: str) -> str:
        """What was chosen under this name earlier, or an empty text."""
        return self.state.data.get(name, "")


@dataclass(frozen=True)
class Go:
    """Where an answer leads and what it causes."""

    to: str
    data: Mapping[str, str] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    language: str = ""
    note: str = ""
    forget: bool = False
    """Nothing before this screen is gone back to."""
    resume: State | None = None
    """Go to this whole state instead: that of a session that was cut off."""


@dataclass(frozen=True)
class Again:
    """The same screen once more, with a line that says why."""

    note: str = "ussd_not_understood"
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class Option:
    """A numbered line. Its number is for ever: people dial paths by heart."""

    number: str
    label: str
    """Catalogue key."""
    to: str
    act: Callable[[Visit], Go] | None = None
    """Decides instead of `to`; may lead to `to` or to one of `also`."""
    also: tuple[str, ...] = ()
    when: Callable[[Visit], bool] | None = None
    """Whether the line is shown (and answered) at all."""

    def offered(self, visit: Visit) -> bool:
        return self.when is None or self.when(visit)


@dataclass(frozen=True)
class Listing:
    """Numbered lines from the facts: `values` on arrival, a `label` for each, one `chosen`."""

    values: Callable[[Visit], Sequence[str]]
    label: Callable[[Visit, str], str]
    chosen: Callable[[Visit, str], Go]
    leads: tuple[str, ...]


@dataclass(frozen=True)
class Prompt:
    """A question answered in words: `read` makes of them what comes next."""

    read: Callable[[Visit, str], Go | Again]
    leads: tuple[str, ...]
    examples: tuple[str, ...]
    """Answers that lead on, for whoever walks the menu without a person."""
    counted: bool = False
    """Every answer counts as a try, so that none may be tried out."""


@dataclass(frozen=True)
class Screen:
    name: str
    text: str | Callable[[Visit], str]
    """Catalogue key, or a function where the text depends on facts."""
    options: tuple[Option, ...] = ()
    listing: Listing | None = None
    prompt: Prompt | None = None
    guard: Callable[[Visit], str] | None = None
    """Name of the screen to show instead, or an empty text: consent, an officer's PIN."""
    guards: tuple[str, ...] = ()
    """All that `guard` may name."""
    end: bool = False
    whole: bool = False
    """Must fit one page: a question that is asked apart from its answers is not understood."""
    unread: Callable[[Visit], bool] | None = None
    """Whether nobody can have read it yet: then an answer dialled ahead is none."""
    home: bool = False
    """A first screen: nothing to go back to."""
    reading: bool = False
    """Only read: who hangs up here was not cut off, and has nothing to go on with."""
    shown: Callable[[Visit], tuple[Effect, ...]] | None = None
    """What has happened once it was shown: that a result was read."""

    def targets(self) -> set[str]:
        found = {name for option in self.options for name in (option.to, *option.also)}
        if self.listing:
            found |= set(self.listing.leads)
        if self.prompt:
            found |= set(self.prompt.leads)
        return found | set(self.guards)


@dataclass(frozen=True)
class Step:
    state: State
    effects: tuple[Effect, ...] = ()
    fits: bool = True
    """Whether the screen had a place for what was typed."""


class Menu:
    """All screens by name, with the one that a session begins on."""

    def __init__(
        self,
        screens: Sequence[Screen],
        texts: Catalogue,
        first: Callable[[Facts], str],
        home: Callable[[State, Facts], str],
    ) -> None:
        """
        Args:
            first: name of the screen that a new session begins on.
            home: name of the screen that 00 leads to.
        """
        self.screens = {screen.name: screen for screen in screens}
        if len(self.screens) != len(screens):
            raise ValueError("two screens have the same name")
        self.texts = texts
        self._first = first
        self._home = home

    def start(self, facts: Facts, default_language: str) -> State:
        """The state of a session that has just begun."""
        farmer, officer = facts.farmer(), facts.officer()
        language = (officer and officer.language) or (farmer and farmer.language)
        state = State(screen=self._first(facts), language=language or default_language)
        return self._arrive(state, facts)

    def step(self, state: State, typed: str, facts: Facts) -> Step:
        """What one answer makes of the state. An answer that fits nothing keeps the screen."""
        screen = self.screens.get(state.screen)
        if screen is None or screen.end:
            return Step(self.at_home(state, facts), fits=False)
        visit = Visit(state, facts, self.texts)
        number = as_number(typed)
        if number == HOME:
            return Step(self.at_home(state, facts))
        if number == BACK and (state.page or state.back or not screen.home):
            return Step(self._go_back(state, facts))
        if number == MORE and state.page + 1 < len(self._pages(screen, visit)):
            return Step(replace(state, page=state.page + 1, misses=0))
        answer = self._answer(screen, visit, number, typed[:ANSWER_LIMIT])
        if isinstance(answer, Again):
            return self._miss(state, answer)
        return Step(self._follow(state, answer, facts), answer.effects)

    def again(self, state: State) -> Step:
        """The same screen, because what was typed cannot be understood."""
        return self._miss(state, Again())

    def unread(self, state: State, facts: Facts) -> bool:
        """Whether this screen must be shown before it may be answered."""
        screen = self.screens[state.screen]
        return screen.unread is not None and screen.unread(Visit(state, facts, self.texts))

    def shown(self, state: State, facts: Facts) -> tuple[Effect, ...]:
        """What has happened when this screen was shown."""
        screen = self.screens[state.screen]
        return screen.shown(Visit(state, facts, self.texts)) if screen.shown else ()

    def show(self, state: State, facts: Facts) -> tuple[str, bool]:
        """(text of the screen without its prefix, whether the session ends with it)."""
        pages = self.pages(state, facts)
        return pages[min(state.page, len(pages) - 1)], self.screens[state.screen].end

    def pages(self, state: State, facts: Facts) -> list[str]:
        """All pages of the screen."""
        return self._pages(self.screens[state.screen], Visit(state, facts, self.texts))

    def _answer(self, screen: Screen, visit: Visit, number: str, typed: str) -> Go | Again:
        for option in screen.options:
            if option.number == number and option.offered(visit):
                return option.act(visit) if option.act else Go(option.to)
        listed = dict(_numbered(screen, visit.state.items))
        if screen.listing and number in listed:
            return screen.listing.chosen(visit, listed[number])
        if screen.prompt and typed.strip():
            return screen.prompt.read(visit, typed.strip())
        return Again("" if not typed.strip() else "ussd_not_understood")

    def _miss(self, state: State, again: Again) -> Step:
        if state.misses + 1 >= MISSES:
            ended = replace(state, screen="too_many_misses", page=0, note="", items=())
            return Step(ended, again.effects, fits=False)
        missed = replace(state, note=again.note, noted=state.page, misses=state.misses + 1)
        return Step(missed, again.effects, fits=False)

    def _follow(self, state: State, go: Go, facts: Facts) -> State:
        if go.resume:
            return self._arrive(go.resume, facts)
        back = () if go.forget else (*state.back, state.screen)[-DEEPEST:]
        following = replace(
            state,
            screen=go.to,
            page=0,
            note=go.note,
            noted=0,
            data={**state.data, **go.data},
            back=back,
            language=go.language or state.language,
            misses=0,
        )
        return self._arrive(following, facts)

    def at_home(self, state: State, facts: Facts) -> State:
        """The state after 00."""
        kept = {name: state.data[name] for name in KEPT if name in state.data}
        name = self._home(state, facts)
        home = State(screen=name, language=state.language, data=kept)
        return self._arrive(home, facts)

    def _go_back(self, state: State, facts: Facts) -> State:
        if state.page:
            note = state.note if state.noted < state.page else ""
            return replace(state, page=state.page - 1, note=note, misses=0)
        if not state.back:
            return self.at_home(state, facts)
        earlier = replace(
            state, screen=state.back[-1], back=state.back[:-1], page=0, note="", noted=0, misses=0
        )
        return self._arrive(earlier, facts)

    def _arrive(self, state: State, facts: Facts) -> State:
        screen = self.screens[state.screen]
        visit = Visit(state, facts, self.texts)
        if screen.guard and (instead := screen.guard(visit)):
            wanted = {**state.data, "wanted": state.screen}
            return self._arrive(replace(state, screen=instead, data=wanted), facts)
        items = tuple(screen.listing.values(visit)) if screen.listing else ()
        return replace(state, items=items)

    def _pages(self, screen: Screen, visit: Visit) -> list[str]:
        body = screen.text(visit) if callable(screen.text) else visit.say(screen.text)
        note = visit.say(visit.state.note) if visit.state.note else ""
        if screen.end:
            return [f"{note}\n{body}" if note else body]
        lines = [
            f"{option.number} {visit.say(option.label)}"
            for option in screen.options
            if option.offered(visit)
        ]
        if screen.listing:
            lines[:0] = [
                f"{number} {screen.listing.label(visit, value)}"
                for number, value in _numbered(screen, visit.state.items)
            ]
        at_root = screen.home and not visit.state.back
        footer = Footer(
            more=f"{MORE} {visit.say('option_more')}",
            back="" if at_root else f"{BACK} {visit.say('option_back')}",
            menu="" if at_root else f"{HOME} {visit.say('option_menu')}",
        )
        return paginate(body, lines, footer, note=note, noted=visit.state.noted)


def _numbered(screen: Screen, items: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The list's items with their numbers, which pass over those of the options."""
    taken = RESERVED | {option.number for option in screen.options}
    free = (str(number) for number in count(1) if str(number) not in taken)
    return zip(free, items, strict=False)


def as_number(typed: str) -> str:
    """What was typed as a menu number: digits of any script, blanks and a closing `#` dropped."""
    plain = typed.strip().removesuffix("#").strip()
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain)
