"""Several answers in one hop: a deep dial, hops that left no state, a session that Redis lost.

Pure, as the engine is. Answers are joined by `*`, which a farmer may also have typed: on a menu it
separates answers, at a question it may belong to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gateway.dialogue.ussd.engine import RESERVED, Again, Menu, State, Step, as_number
from gateway.dialogue.ussd.facts import Facts, FarmerFacts, GiveConsent


def walk(
    menu: Menu,
    state: State,
    answers: Sequence[str],
    facts: Facts,
    *,
    patient: bool,
    before: int = 0,
) -> Step:
    """Go along a path. What its earlier answers caused was done when they were given, so the step
    that comes back has the effects of the last one alone.

    An impatient walk goes no further than it can be sure of: it stops at an answer that does not
    fit, at a question whose answer may end at one `*` or at another (and asks it again), and before
    a screen that must have been read. A patient one is for an outage of Redis, where every hop
    walks the whole path: it takes each `*` for a separator and what does not fit for a miss, so
    that it always passes through the screens that were shown.

    Args:
        before: answers of the session's path that led to `state`.
    """
    if len(answers) == 1:  # nearly every hop, and then nothing needs to be asked
        return menu.step(state, answers[0], facts)
    seen, rest = _as_it_began(state, facts), list(answers)
    agreed_at = _agreed_at(facts) - before if seen is not facts else 0
    while rest:
        if not patient and len(rest) < len(answers) and menu.unread(state, facts):
            return Step(state)
        length = 1 if patient else _length(menu, state, rest, seen)
        step = menu.step(state, "*".join(rest[: length or len(rest)]), seen)
        if not length:
            asked = menu.again(state) if step.fits else step
            # What cannot be told is no miss that ends a session: it may have been a right answer.
            ended = asked.state.screen != state.screen
            again = replace(state, note=Again().note, noted=state.page)
            return Step(again, fits=False) if ended else asked
        del rest[:length]
        agrees = any(isinstance(effect, GiveConsent) for effect in step.effects)
        position = len(answers) - len(rest)
        ahead = agrees and rest and not agreed_at and menu.unread(state, facts)
        if ahead or (agrees and position < agreed_at):
            continue  # dialled ahead, alone or with what follows it, so it went for nothing
        astray = not (step.fits or patient or menu.screens[step.state.screen].home)
        if not agrees and (position == agreed_at or (position < agreed_at and astray)):
            return Step(menu.at_home(state, facts))  # the path went another way to that question
        if not rest or not (step.fits or patient):
            return step
        if agrees:
            seen, agreed_at = facts, 0
        state = step.state
    return Step(state)


def _length(menu: Menu, state: State, rest: Sequence[str], facts: Facts) -> int:
    """How many of the parts are the answer to this screen; 0 where that cannot be told."""
    screen = menu.screens.get(state.screen)
    if screen is None or screen.prompt is None or len(rest) == 1:
        return 1
    if screen.prompt.counted:
        return len(rest)
    standing = RESERVED | {option.number for option in screen.options}
    fitting = [
        length
        for length in range(1, len(rest) + 1)
        if (length > 1 or as_number(rest[0]) not in standing)
        and menu.step(state, "*".join(rest[:length]), facts).fits
    ]
    return fitting[0] if len(fitting) == 1 else 0


def _as_it_began(state: State, facts: Facts) -> Facts:
    """The facts as they were before a consent that was given in this session, after `state`: the
    walk comes to the question once more and must find it asked."""
    farmer = facts.farmer()
    if farmer is None or not farmer.began or "agreed" in state.data:
        return facts
    known = farmer.began != "language_first"
    return _Earlier(facts, replace(farmer, consented=False) if known else None)


def _agreed_at(facts: Facts) -> int:
    farmer = facts.farmer()
    return farmer.agreed_at if farmer else 0


class _Earlier:
    """Facts, but for the farmer."""

    def __init__(self, facts: Facts, farmer: FarmerFacts | None) -> None:
        self._facts = facts
        self._farmer = farmer

    def farmer(self) -> FarmerFacts | None:
        return self._farmer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._facts, name)
