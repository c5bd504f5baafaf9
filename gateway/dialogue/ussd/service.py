"""One hop of a USSD session: from what the network posted to the body it gets back."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.exc import SQLAlchemyError

from gateway import words
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.parts import Parts
from gateway.dialogue.ussd import screens
from gateway.dialogue.ussd.effects import Hand
from gateway.dialogue.ussd.engine import Menu, State, Step
from gateway.dialogue.ussd.facts import Effect
from gateway.dialogue.ussd.sessions import LONGEST, Busy, Kept, Mark, Sessions, digest, segments
from gateway.dialogue.ussd.walk import walk
from gateway.dialogue.ussd.world import World
from gateway.people import msisdn

log = logging.getLogger("leafline.ussd")

REDIS_TIMEOUT = 0.4
"""Seconds for connecting and for an answer; together they stay under the second that a farmer may
wait when Redis is down."""


@dataclass(frozen=True)
class UssdRequest:
    """What the network tells in one hop."""

    session_id: str
    phone: str
    """E.164."""
    service_code: str = ""
    network_code: str = ""
    text: str = ""
    """The whole path typed so far, joined by `*`."""


@dataclass(frozen=True)
class Line:
    """What the hops of one process share."""

    parts: Parts
    menu: Menu
    sessions: Sessions

    @classmethod
    def open(cls, parts: Parts, redis_url: str) -> Self:
        """Connects when first used."""
        connection = redis.Redis.from_url(
            redis_url,
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        return cls(parts, screens.menu(parts.texts), Sessions(connection, parts.store.vault))


@dataclass(frozen=True)
class Reply:
    body: str
    """`CON ...` or `END ...`, the prefix first."""
    label: str
    """Screen and language, for the network's statistics; says nothing of the caller."""

    def to_text(self) -> str:
        return f"{self.body}\0{self.label}"

    @classmethod
    def from_text(cls, kept: str) -> Self:
        body, _, label = kept.partition("\0")
        return cls(body, label)


def ended(texts: Catalogue, key: str, language: str) -> Reply:
    """The end of a session with a text that is no screen of the menu."""
    return Reply(f"END {texts.render(key, language)}", f"{key.removeprefix('ussd_')} {language}")


class AnotherNumber(Exception):
    """A session is used by another number than the one that began it."""


def answer(line: Line, request: UssdRequest) -> Reply:
    """What the network gets back.

    Never raises: what goes wrong is named in the log, and the farmer reads an apology.
    """
    hop = _Hop(line, replace(request, text=words.typed(request.text)))
    try:
        return hop.answer()
    except AnotherNumber:
        log.warning("ussd session=%s used by %s too", hop.tag, msisdn.mask(request.phone))
        return hop.end("ussd_other_number")
    except Exception as error:
        log.error(
            "ussd session=%s failed: %s", hop.tag, type(error).__name__, exc_info=_traced(error)
        )
        return hop.end("ussd_trouble")


@dataclass
class _Hop:
    line: Line
    request: UssdRequest
    language: str = ""
    """The farmer's, as soon as it is known."""
    tag: str = field(init=False)
    """Names the session in logs and keys: the network's own id may be of any length."""

    def __post_init__(self) -> None:
        self.language = self.line.parts.language
        self.tag = digest(self.request.session_id)[:16]

    @property
    def menu(self) -> Menu:
        return self.line.menu

    def answer(self) -> Reply:
        request, sessions = self.request, self.line.sessions
        if len(request.text) > LONGEST:
            return self.end("ussd_too_many_misses")
        who = self.line.parts.store.vault.number(request.phone)
        here = digest(request.text)
        try:
            kept = sessions.open(self.tag, who, here)
        except redis.RedisError as error:
            log.error("ussd session=%s without redis: %s", self.tag, type(error).__name__)
            with self._world() as world:
                return self._shown(self._replayed(world, patient=True), world)
        try:
            if kept.who not in (None, *self.line.parts.store.vault.numbers(request.phone)):
                raise AnotherNumber
            if kept.reply is not None:
                return Reply.from_text(kept.reply)
            with self._world() as world:
                state = self._next(kept, world)
                reply = self._shown(state, world)
                self._note(self.menu.shown(state, world), world)
        except BaseException:
            self._quietly(lambda: sessions.release(self.tag, kept))
            raise
        self._quietly(
            lambda: sessions.close(
                self.tag,
                who,
                kept,
                state=state.to_json(),
                mark=Mark.of(request.text),
                path=here,
                reply=reply.to_text(),
                unfinished=self._unfinished(state),
            )
        )
        return reply

    def end(self, key: str) -> Reply:
        return ended(self.line.parts.texts, key, self.language)

    def _world(self) -> World:
        return World(self.line.parts, self.request.phone, self.tag)

    def _next(self, kept: Kept, world: World) -> State:
        if kept.state is None or kept.mark is None:
            return self._first(kept, world)
        state = State.from_json(kept.state)
        self.language = state.language
        typed = kept.mark.answer_in(self.request.text)
        if typed is None:
            log.info("ussd session=%s path does not go on; main menu", self.tag)
            return self.menu.at_home(state, world)
        # One answer; an officer's is one whatever is in it: it must not reach another farmer.
        if "*" not in typed or state.data.get("pin") == "ok":
            return self._done(self.menu.step(state, typed, world), world)
        # Several answers: a hop between was answered without Redis, or the farmer typed ahead.
        answers = typed.split("*")
        before = len(self._path()) - len(answers)
        step = walk(self.menu, state, answers, world, patient=False, before=before)
        return self._done(step, world)

    def _first(self, kept: Kept, world: World) -> State:
        if self._path():
            return self._replayed(world, patient=False)
        state = self.menu.start(world, self.language)
        new = self.menu.shown(state, world)  # an answer that she waits for comes first
        if kept.unfinished and not new and kept.unfinished["screen"] in self.menu.screens:
            cut_off = json.dumps(kept.unfinished, separators=(",", ":"))
            language = kept.unfinished["language"]
            state = State("resume", language, data={"resume": cut_off})
        return state

    def _path(self) -> list[str]:
        """The answers of a path of which no state is known, those dialled with the code too."""
        dialled = self.request.service_code.strip().removesuffix("#")
        code = self.line.parts.ussd_code.removesuffix("#")
        deep = dialled.removeprefix(code + "*") if dialled.startswith(code + "*") else ""
        return segments(deep) + segments(self.request.text)

    def _replayed(self, world: World, *, patient: bool) -> State:
        state = self.menu.start(world, self.language)
        if self._path() and world.officer() is not None:
            # A list may have changed since; an officer's answer must not reach another farmer.
            return replace(state, screen="trouble") if patient else state
        return self._done(walk(self.menu, state, self._path(), world, patient=patient), world)

    def _done(self, step: Step, world: World) -> State:
        self.language = step.state.language
        if not self._do(step.effects, world):
            return replace(step.state, note="ussd_case_gone", noted=0)
        return step.state

    def _note(self, effects: tuple[Effect, ...], world: World) -> None:
        """What showing a screen has done. Failing at it is no reason not to show it."""
        try:
            self._do(effects, world)
        except SQLAlchemyError as error:
            log.warning("ussd session=%s not noted: %s", self.tag, type(error).__name__)

    def _do(self, effects: tuple[Effect, ...], world: World) -> bool:
        """Whether it could be done."""
        if not effects:
            return True
        hand = Hand(self.line.parts, self.request.phone, self.tag, self.language, len(self._path()))
        done = hand.carry_out(effects)
        world.refresh()
        return done

    def _shown(self, state: State, world: World) -> Reply:
        self.language = state.language
        text, ends = self.menu.show(state, world)
        return Reply(f"{'END' if ends else 'CON'} {text}", f"{state.screen} {state.language}")

    def _unfinished(self, state: State) -> dict[str, object] | None:
        """What a redial may go on with; nothing where she only read, and may have hung up."""
        if state.screen == "resume":
            return dict(json.loads(state.data["resume"]))
        screen = self.menu.screens[state.screen]
        return None if screen.end or screen.home or screen.reading else state.to_json()

    def _quietly(self, tell_redis: Callable[[], None]) -> None:
        try:
            tell_redis()
        except redis.RedisError as error:
            log.error("ussd session=%s not kept: %s", self.tag, type(error).__name__)


def _traced(error: Exception) -> bool:
    """A store's error repeats the values of its statement, numbers among them."""
    return not type(error).__module__.startswith("sqlalchemy")


__all__ = ["Busy", "Line", "Reply", "UssdRequest", "answer", "ended"]
