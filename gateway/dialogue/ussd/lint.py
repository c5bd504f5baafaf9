"""Proving the menu: no dead end, nothing unreachable, no colliding number, every page fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from gateway.agronomy import ADVISED, LABELS
from gateway.agronomy.table import CROP_ROWS
from gateway.cases import life
from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import SCREEN_LIMIT, CatalogueError
from gateway.dialogue.ussd.engine import RESERVED, Menu, Screen, State
from gateway.dialogue.ussd.facts import CaseFacts, FarmerFacts, KioskFacts, OfficerFacts

LONGEST_WAY = 9
"""Answers after which no way is looked for."""
PAGES = 4
"""More pages than this nobody reads."""

WHERE = "Kayonza/Ryakarimira Town Council"
"""A district, and a sector with the longest name of all."""

_ELSEWHERE = frozenset({"resume", "trouble", "too_many_misses"})
"""Screens that a session is put on, not led to by an answer."""


class Widest:
    """Facts in which everything exists and every value is as long as it can get.

    Its one case is in state `state`, looks like `label`, and is the caller's.
    """

    def __init__(
        self,
        values: dict[str, str],
        state: str,
        label: str,
        *,
        crop: str = CROP_ROWS[0].code,
        note: bool = False,
        consented: bool = False,
    ) -> None:
        self._consented = consented
        self._case = CaseFacts(
            code=values["case"],
            state=state,
            opened=date(2026, 12, 31),
            crop=crop,
            label=label,
            mine=True,
            note=values["note"] if note else "",
            promised="visit" if state == life.PROMISED else "",
            officer=values["officer"],
            day=values["day"],
            officer_phone=values["officer_phone"],
            place=values["place"],
            phone=values["phone"],
            finding=values["finding"],
            told=values["told"],
            seen="x" * 80,
            choices=LABELS,
        )
        self._kiosk = KioskFacts("1", values["kiosk"], values["place"], values["opening"])

    def farmer(self) -> FarmerFacts:
        return FarmerFacts("en", consented=self._consented, opted_out=False, area=WHERE)

    def cases(self) -> list[CaseFacts]:
        return [self._case] * 20

    def stored(self) -> int:
        return 99

    def case(self, code: str) -> CaseFacts:
        return self._case

    def news(self) -> str:
        return self._case.code

    def look_up(self, code: str) -> Literal["found", "none", "too_often"]:
        return "found"

    def units(self, above: str = "") -> list[str]:
        return WHERE.split("/")

    def kiosks(self, area: str = "") -> list[KioskFacts]:
        return [self._kiosk] * 20

    def on_duty(self, area: str = "") -> bool:
        return True

    def erasure_code(self, typed: str) -> Literal["right"]:
        return "right"

    def officer(self) -> OfficerFacts:
        return OfficerFacts(language="en", on_duty=True)

    def desk(self) -> list[CaseFacts]:
        return [self._case] * 20

    def colleague(self, code: str) -> bool:
        return True

    def pin(self, typed: str) -> Literal["right"]:
        return "right"


def check(menu: Menu) -> list[str]:
    """Every fault of the menu, a line each; empty when it may be used."""
    faults = [*_structure(menu), *_untranslated(menu)]
    if not faults:  # a menu with a missing screen cannot be shown
        faults += dict.fromkeys(_pages(menu))
        faults += [
            f"{goal.name}: {taken} hops, at most {goal.most} are gone"
            for goal, taken in hops(menu)
            if taken > goal.most
        ]
    return faults


def _structure(menu: Menu) -> Iterator[str]:
    for screen in menu.screens.values():
        for name in sorted(screen.targets() - set(menu.screens)):
            yield f"{screen.name}: leads to {name!r}, which does not exist"
        numbers = [option.number for option in screen.options]
        for number in sorted(RESERVED & set(numbers)):
            yield f"{screen.name}: {number} is a standing key, not an option"
        for number in sorted({n for n in numbers if numbers.count(n) > 1}):
            yield f"{screen.name}: number {number} is given twice"
        if screen.end and (screen.targets() or screen.prompt):
            yield f"{screen.name}: ends the session, yet leads on"
        if screen.home and not screen.targets():
            yield f"{screen.name}: a dead end: a first screen that leads nowhere"
        known = menu.texts.keys_of()
        for key in _keys(screen):
            if key not in known:
                yield f"{screen.name}: {key} is in no PO file"
    reached = reachable(menu)
    for name in menu.screens:
        if name not in reached:
            yield f"{name}: no answer on any screen leads here"


def _keys(screen: Screen) -> list[str]:
    own = [screen.text] if isinstance(screen.text, str) else []
    return own + [option.label for option in screen.options]


def _untranslated(menu: Menu) -> Iterator[str]:
    for language in menu.texts.languages:
        for key in menu.texts.keys_of():
            if not menu.texts.translated(key, language):
                yield f"{key} is missing in {language}.po"


def reachable(menu: Menu) -> set[str]:
    """Names of the screens that some answer leads to, from those a session begins on."""
    firsts = {name for name, screen in menu.screens.items() if screen.home}
    found, waiting = set(), firsts | _ELSEWHERE & set(menu.screens)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= (menu.screens[name].targets() & set(menu.screens)) - found
    return found


def _pages(menu: Menu) -> Iterator[str]:
    """Show every screen, page by page, in every language, with everything at its longest."""
    values = menu.texts.longest_values()
    advised = [label for label in LABELS if label in ADVISED]
    for language in menu.texts.languages:

        def length(crop: str, language: str = language) -> int:
            return gsm7.septets(menu.texts.text(f"crop_{crop}", language))

        crop = max((row.code for row in CROP_ROWS), key=length)
        worlds = [
            (label, Widest(values, state, label, crop=crop))
            for state in life.NEXT
            for label in LABELS
        ]
        worlds += [
            (label, Widest(values, life.CLOSED, "unknown", crop=crop, note=True))
            for label in advised[:1]
        ]
        chosen = {"case": values["case"], "kiosk": "1", "crop": crop, "pin": "ok"}
        chosen |= {"district": WHERE.partition("/")[2], "area": WHERE}
        for label, world in worlds:
            for name, screen in menu.screens.items():
                data = chosen | {"label": label if label in ADVISED else advised[0]}
                items = (values["case"],) * 20 if screen.listing else ()
                state = State(name, language, data=data, items=items, back=("main",))
                yield from _too_long(menu, state, world)


def _too_long(menu: Menu, state: State, world: Widest) -> Iterator[str]:
    where = f"{state.screen} [{state.language}]"
    try:
        pages = menu.pages(state, world)
    except (CatalogueError, gsm7.NotGsm) as error:
        yield f"{where}: {error}"
        return
    for page in pages:
        if (length := gsm7.septets(page)) > SCREEN_LIMIT:
            yield f"{where}: {length} septets, limit {SCREEN_LIMIT}"
    if len(pages) > 1 and menu.screens[state.screen].whole:
        yield f"{where}: {len(pages)} pages; this screen must be read as one"
    if len(pages) > PAGES and not state.items:
        yield f"{where}: {len(pages)} pages, at most {PAGES} are read"


@dataclass(frozen=True)
class Goal:
    """What somebody who is known dials for, and the most hops that it may take."""

    name: str
    begins: str
    """The screen that the call begins on."""
    ends: frozenset[str]
    most: int
    through: str = ""
    """How the names of screens on the way begin: the longest way through them counts, for every
    question of it is asked. Without it, the shortest way of all."""


ENDS = frozenset({"report_kiosk", "officer_requested", "nobody_on_duty"})
GOALS = (
    Goal("result, new or the only one", "", frozenset({"news"}), 1),
    Goal("result, from the list", "main", frozenset({"case"}), 2),
    Goal("officer", "main", frozenset({"officer_requested", "nobody_on_duty"}), 2),
    Goal("report with triage", "main", ENDS, 6, through="report_"),
)


def hops(menu: Menu) -> list[tuple[Goal, int]]:
    """The goals, with the answers that each takes; a dial that shows it is one hop."""
    return [(goal, _hops(menu, goal)) for goal in GOALS]


def _hops(menu: Menu, goal: Goal) -> int:
    if not goal.begins:
        return 1 if all(menu.screens[name].home for name in goal.ends) else len(menu.screens)
    far = [len(way) for way in _ways(menu, goal, (goal.begins,))]
    worst = max if goal.through else min
    return worst(far, default=len(menu.screens))


def _ways(menu: Menu, goal: Goal, way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every way to an end of the goal, as the screens that are answered on it."""
    screen = menu.screens[way[-1]]
    for name in sorted(screen.targets() - set(screen.guards)):
        if name in goal.ends:
            yield way
        elif name not in way and name.startswith(goal.through) and len(way) <= LONGEST_WAY:
            yield from _ways(menu, goal, (*way, name))


def mermaid(menu: Menu) -> str:
    """The menu as a Mermaid flow chart; option numbers on the arrows."""
    lines = ["flowchart TD"]
    for screen in menu.screens.values():
        shape = '(["{}"])' if screen.end else '["{}"]'
        lines.append(f"    {screen.name}{shape.format(screen.name)}")
    for screen in menu.screens.values():
        for option in screen.options:
            for name in (option.to, *option.also):
                lines.append(f"    {screen.name} -->|{option.number}| {name}")
        for name in screen.listing.leads if screen.listing else ():
            lines.append(f"    {screen.name} -->|1..n| {name}")
        for name in screen.prompt.leads if screen.prompt else ():
            lines.append(f"    {screen.name} -->|typed| {name}")
        for name in screen.guards:
            lines.append(f"    {screen.name} -.-> {name}")
    return "\n".join(lines)
