"""Whose answer is awaited, and one SMS of theirs: its code, what it says, and of what kind that is.

Pure but for the questions of `Asked` to the store.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.cases import escalation
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.parts import Parts
from gateway.dialogue.sms import chatter
from gateway.dialogue.sms.chatter import Kind, OwnTexts
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import Vocabulary, plain
from gateway.store.models import Case, Escalation, Officer

OK = "OK"


@dataclass(frozen=True)
class Asked:
    """Whose answer is awaited: an officer's, the operator's, or one's who is both."""

    phone: str
    language: str
    officer: Officer | None
    operator: bool

    def stands_for(self) -> list[Officer | None]:
        """In whose name they answer; None is the operator."""
        own: list[Officer | None] = [self.officer] if self.officer else []
        return [*own, None] if self.operator else own

    def holds(self, session: Session, case: Case) -> bool:
        held = escalation.open_one(session, case)
        return held is not None and held.officer_id in self._ids()

    def as_holder(self, session: Session, case: Case) -> Officer | None:
        """In whose name they hold, or held, the case. Raises: NotYours."""
        held = escalation.open_one(session, case)
        if held is None:
            query = select(Escalation).where(Escalation.case_id == case.id)
            held = session.scalar(query.order_by(Escalation.id.desc()).limit(1))
        if held is None or held.officer_id not in self._ids():
            raise escalation.NotYours(case.code)
        return held.officer

    def answered(self, session: Session, case: Case) -> bool:
        """Whether the words of theirs ended the case, and nobody has had it since."""
        return any(
            escalation.answered_by(session, who, case) is not None for who in self.stands_for()
        )

    def waiting(self, session: Session) -> list[Case]:
        lists = (escalation.open_cases_of(session, who) for who in self.stands_for())
        return [case for cases in lists for case in cases]

    def _ids(self) -> set[int | None]:
        return {who.id if who else None for who in self.stands_for()}


@dataclass(frozen=True)
class Sms:
    """One SMS of whoever was asked, with all that answering it needs."""

    parts: Parts
    session: Session
    asked: Asked
    words: Vocabulary
    typed: str
    """As it was written, without letters that are only there for layout."""
    code: str
    """Of the case that it names, or empty."""
    rest: str
    """What it says beside the code."""
    kind: Kind

    @classmethod
    def read(
        cls, parts: Parts, session: Session, asked: Asked, words: Vocabulary, text: str
    ) -> Self:
        typed = visible(text)
        code, rest = chatter.parted(typed)
        ours = _own_texts(parts.texts)
        kind = chatter.kind(typed, words, ours)
        if kind not in (Kind.REACTION, Kind.OURS, Kind.AUTOMATIC):
            kind = chatter.kind(rest, words, ours)
        return cls(parts, session, asked, words, typed, code, rest, kind)

    @property
    def after_ok(self) -> str | None:
        """What follows an OK; None where the words do not begin with one."""
        parted = self.rest.split(maxsplit=1)
        if not parted or plain(parted[0]) != OK:
            return None
        return parted[1] if len(parted) > 1 else ""

    def reply(self, template: str, **values: str) -> Reply:
        return Reply(template, self.asked.language, values)

    def reply_of(self, case: Case, template: str, **values: str) -> Reply:
        """A reply about a case, which it names."""
        return Reply(template, self.asked.language, {"case": case.code} | values, case_id=case.id)


def visible(text: str) -> str:
    """Without the letters that are only there for layout, as phones put them around words."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


@lru_cache(maxsize=4)
def _own_texts(texts: Catalogue) -> OwnTexts:
    return OwnTexts.of(texts)
