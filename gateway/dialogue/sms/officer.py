"""What whoever was asked writes: `CODE words`, `CODE OK label`, `CODE ?`, or words for one case.

Only advice is relayed. Everything else is acted on or asked back, and closes nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.agronomy import CROP_OF, DISEASES
from gateway.cases import briefing, escalation
from gateway.cases.case import by_code
from gateway.dialogue import advice, answers
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.parts import Parts
from gateway.dialogue.sms import chatter, small_talk
from gateway.dialogue.sms.chatter import Kind, OwnTexts
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import (
    SHORT,
    Command,
    Vocabulary,
    find_code,
    means_code,
    plain,
)
from gateway.people import farmers, officers
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Message, Officer
from gateway.teaching import labels

LISTED = 4
"""Case codes that fit one message."""
OK = "OK"
BELONGS = timedelta(minutes=10)
"""A text without a code so soon after an answer belongs to it, or is asked about."""
AT_ONCE = timedelta(minutes=2)
"""So soon it is the rest of an answer that took two SMS."""
ASKED_FOR = timedelta(minutes=30)
"""How long a YES answers a question of ours."""

ECHOES = ("officer_done", "officer_done_long", "officer_went_on")
"""Replies after which words were relayed."""
PROMISED = "officer_promised"
SURE, SAFE, MORE = "officer_sure", "officer_safety_ask", "officer_more"
ASKING = (SURE, SAFE, MORE)
"""Replies that a YES answers."""
NEVER = {
    Kind.REACTION: "officer_no_advice",
    Kind.OURS: "officer_no_advice",
    Kind.AUTOMATIC: "officer_no_advice",
    Kind.SMALL: "officer_no_advice",
    Kind.ABSENT: "officer_absent",
}


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

    def waiting(self, session: Session) -> list[Case]:
        lists = (escalation.open_cases_of(session, who) for who in self.stands_for())
        return [case for cases in lists for case in cases]

    def _ids(self) -> set[int | None]:
        return {who.id if who else None for who in self.stands_for()}


def act(parts: Parts, session: Session, asked: Asked, words: Vocabulary, text: str) -> Reply | None:
    """Do what the message says; the reply, or None when it speaks as a farmer would."""
    return _Desk(parts, session, asked, words).act(text)


@lru_cache(maxsize=4)
def own_texts(texts: Catalogue) -> OwnTexts:
    return OwnTexts.of(texts)


def visible(text: str) -> str:
    """Without the letters that are only there for layout, as phones put them around words."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


@dataclass(frozen=True)
class _Desk:
    parts: Parts
    session: Session
    asked: Asked
    words: Vocabulary

    def act(self, text: str) -> Reply | None:
        typed = visible(text)
        code, rest = chatter.parted(typed)
        ours = own_texts(self.parts.texts)
        kind = chatter.kind(typed, self.words, ours)
        if kind not in (Kind.REACTION, Kind.OURS, Kind.AUTOMATIC):
            kind = chatter.kind(rest, self.words, ours)
        if self.asked.officer is None and not self._concerns_operator(code, kind):
            return None
        return (
            self._own_affairs(typed, code, rest, kind)
            or self._confirmed(rest, code)
            or self._of_a_case(typed, code, rest, kind)
        )

    def _concerns_operator(self, code: str, kind: Kind) -> bool:
        """The operator may be a farmer too; what is about no case of theirs is a farmer's."""
        if kind in (Kind.COMMAND, Kind.OFF, Kind.ON):
            return False
        if code:
            case = by_code(self.session, code)
            return case is not None and (
                self.asked.holds(self.session, case) or self._answered_by_us(case)
            )
        return bool(self.asked.waiting(self.session)) or self._just_answered(BELONGS) is not None

    def _own_affairs(self, typed: str, code: str, rest: str, kind: Kind) -> Reply | None:
        """Language, duty, the list: what is about the officer and no case."""
        officer = self.asked.officer
        said = self.words.read(typed)
        if officer is not None and not code:
            if said.command is Command.LANGUAGE and len(plain(typed).split()) <= SHORT:
                wanted = self.words.language(said.rest)
                if wanted is not None:
                    officers.set_language(officer, wanted)
                    return Reply("language_set", wanted)
                if said.alone:
                    return self._reply("language_ask")
            if kind is Kind.UNDO and self._may_undo():
                return None
            wish = kind in (Kind.COMMAND, Kind.UNDO)  # CANCEL is a word for both
            meant = chatter.command(rest, self.words) if wish else None
            if meant in (Command.STOP, Command.START):
                return self._stop_or_start(officer, meant)
            if kind is Kind.OFF:
                return self._off(officer, rest)
            if kind is Kind.ON:
                officers.set_duty(self.session, officer, True)
                return self._reply("officer_on")
        if kind is Kind.COMMAND and not code:
            return self._reply("officer_help")
        if kind is Kind.LIST and not code:
            return self._which() if self.asked.waiting(self.session) else self._none_open()
        return None

    def _stop_or_start(self, officer: Officer, command: Command) -> Reply:
        """STOP is off duty for an officer, and ends what a farmer with this number gets."""
        farmer = farmers.find(self.session, self.asked.phone)
        starts = command is Command.START
        officers.set_duty(self.session, officer, starts)
        if farmer is not None:
            change: Callable[..., object] = farmers.opt_in if starts else farmers.opt_out
            change(self.session, farmer, by="sms")
        return self._reply("officer_on" if starts else "officer_off")

    def _off(self, officer: Officer, rest: str) -> Reply:
        zone = self.parts.desk.zone
        today = now().astimezone(zone).date()
        last = chatter.until(rest, today)
        if last is None:
            if set(plain(rest).split()) & small_talk.UNTIL or any(c.isdigit() for c in rest):
                return self._reply("officer_off_until_ask")
            officers.set_duty(self.session, officer, False)
            return self._reply("officer_off")
        back = last + timedelta(days=1)
        officers.leave(self.session, officer, datetime.combine(back, time(), zone))
        return self._reply("officer_off_until", day=f"{back:%d/%m/%Y}")

    # What is about a case

    def _confirmed(self, rest: str, code: str) -> Reply | None:
        """YES to the last question of ours."""
        if not chatter.says_yes(rest):
            return None
        found = self._asked_last()
        if found is None:
            return None
        template, case, text = found
        if code and code != case.code:
            return None
        _, words = chatter.parted(visible(text))
        return self._send(case, words, safe=template == SAFE, more=not self._open(case))

    def _of_a_case(self, typed: str, code: str, rest: str, kind: Kind) -> Reply:
        if kind is Kind.UNDO:
            return self._undo(code)
        if code:
            case = by_code(self.session, code)
            if case is None or not self._open(case):
                return self._reply("officer_not_yours", case=code)
            return self._about(case, rest, kind)
        relayed = kind in (Kind.ADVICE, Kind.SHORT, Kind.QUESTION, Kind.PROMISE)
        agrees = bool(rest) and plain(rest.split(maxsplit=1)[0]) == OK
        if relayed and not agrees and not means_code(typed):
            recent = self._just_answered(BELONGS)
            if recent is not None:
                return self._belongs(*recent, rest)
        waiting = self.asked.waiting(self.session)
        if not waiting:
            return self._none_open()
        if len(waiting) > 1 or means_code(typed):
            return self._which()
        return self._about(waiting[0], rest, kind)

    def _about(self, case: Case, rest: str, kind: Kind) -> Reply:
        """Raises nothing: a case that went to a colleague meanwhile is said to be."""
        try:
            return self._done(case, rest, kind)
        except escalation.NotYours:
            return self._reply("officer_not_yours", case=case.code)

    def _done(self, case: Case, rest: str, kind: Kind) -> Reply:
        who = self.asked.as_holder(self.session, case)
        desk = self.parts.desk
        if kind in (Kind.SHOW, Kind.COMMAND, Kind.LIST, Kind.OFF, Kind.ON):
            return self._shown(case)
        if kind is Kind.PHOTO:
            asked = escalation.ask_photo(self.session, desk, who, case)
            return self._of(case, "officer_photo_asked" if asked else "officer_photo_awaited")
        if kind is Kind.PASS:
            passed = escalation.hand_over(self.session, desk, who, case, "officer")
            return self._of(case, "officer_passed" if passed else "officer_nobody_else")
        parted = rest.split(maxsplit=1)
        if parted and plain(parted[0]) == OK:
            tail = parted[1] if len(parted) > 1 else ""
            if kind is not Kind.SMALL or not tail:
                reply = self._agreed(case, tail)
                if reply is not None:
                    return reply
        if kind in NEVER:
            return self._of(case, NEVER[kind])
        if kind in (Kind.SHORT, Kind.QUESTION):
            return self._sure(case, rest)
        if kind is Kind.PROMISE:
            return self._promised(case, rest, who)
        return self._send(case, rest)

    def _shown(self, case: Case) -> Reply:
        seen, language = briefing.brief(self.session, case), self.asked.language
        values = seen.values(self.parts.texts, language, briefing.by_sms(case))
        return self._of(case, briefing.template(case), **values)

    def _agreed(self, case: Case, tail: str) -> Reply | None:
        """`OK` and a disease, or a bare OK to what the machine said; None where the words after it
        are advice of their own."""
        allowed = [label for label in labels.choices(case.crop) if label != labels.NONE]
        looks = briefing.looks_like(case)
        if not plain(tail):
            if looks is not None and looks not in allowed:
                return self._of(
                    case, "officer_mismatch", photo_crop=CROP_OF[looks], crop=case.crop or "unknown"
                )
            label = looks
        else:
            label = self.words.label(tail, allowed)
            if label is None and len(plain(tail).split()) > SHORT:
                return None
        if label is None:
            return self._which_label(case, allowed)
        note = self.parts.texts.render(f"note_{label}", case.spoken)
        return self._send(case, note, label=label)

    def _which_label(self, case: Case, allowed: list[str]) -> Reply:
        if not allowed:
            return self._of(case, "officer_label_none")
        rows = sorted((DISEASES[label] for label in allowed), key=lambda row: row.number)
        names = (self.parts.texts.text(f"disease_{row.label}", self.asked.language) for row in rows)
        short = ", ".join(plain(name).split()[-1] for name in names)
        return self._of(case, "officer_label", crop=case.crop or "unknown", labels=short)

    def _promised(self, case: Case, words: str, who: Officer | None) -> Reply:
        parts = self.parts
        try:
            answers.promise(self.session, parts.texts, parts.desk, who, case, words)
        except advice.BadNote as fault:
            return self._fault(case, fault, words)
        except answers.NeedsSafety as named:
            return self._of(case, SAFE, product=named.named[0])
        return self._of(case, PROMISED, tail=case.farmer.phone[-4:])

    def _sure(self, case: Case, words: str) -> Reply:
        try:
            note = advice.tidy(words)
        except advice.BadNote as fault:
            return self._fault(case, fault, words)
        return self._of(case, SURE, note=note)

    def _send(
        self,
        case: Case,
        words: str,
        label: str | None = None,
        *,
        safe: bool = False,
        more: bool = False,
    ) -> Reply:
        """Words to the farmer, and the echo; or why not."""
        session, texts, desk = self.session, self.parts.texts, self.parts.desk
        try:
            who = self.asked.as_holder(session, case)
            if more:
                answers.go_on(session, texts, desk, who, case, words, safe=safe, hold=answers.HOLD)
            else:
                answers.answer(
                    session, texts, desk, who, case, words, label, safe=safe, hold=answers.HOLD
                )
        except escalation.NotYours:  # it went to a colleague meanwhile
            return self._reply("officer_not_yours", case=case.code)
        except advice.BadNote as fault:
            return self._fault(case, fault, words)
        except answers.NeedsSafety as named:
            return self._of(case, SAFE, product=named.named[0])
        said = advice.said(texts, advice.tidy(words), safety=safe)
        tail = case.farmer.phone[-4:]
        if more:
            return self._of(case, "officer_went_on", tail=tail)
        if len(said) == 1 and said[0].template == advice.WHOLE:
            return self._of(case, "officer_done", note=said[0].values["note"], tail=tail)
        return self._of(case, "officer_done_long", number=str(len(said)), tail=tail)

    def _fault(self, case: Case, fault: advice.BadNote, words: str) -> Reply:
        if fault.reason == "letters":
            letter = fault.detail[0]
            named = unicodedata.name(letter, f"U+{ord(letter):04X}")
            return self._of(case, "officer_letters", letters=named)
        if fault.reason == "too_long":
            return self._of(
                case, "officer_too_long", fits=str(fault.fits), letters_typed=str(len(words))
            )
        return self._of(case, "officer_no_advice")

    def _belongs(self, case: Case, age: timedelta, words: str) -> Reply:
        """A text without a code soon after an answer."""
        given = answers.officers_words(self.session, case)
        if age <= AT_ONCE or not given.rstrip(" \"')").endswith((".", "!", "?")):
            return self._send(case, words, more=True)
        listed = " ".join(one.code for one in self.asked.waiting(self.session)[:LISTED])
        return self._of(case, MORE, cases=listed or "-")

    def _undo(self, code: str) -> Reply:
        last = next(self._replies((*ECHOES, PROMISED), escalation.UNDO_FOR, 1), None)
        said = self.session.get(Case, last.case_id) if last and last.case_id else None
        case = by_code(self.session, code) if code else said
        if case is None:
            return self._reply("officer_nothing_undone")
        try:
            who = self.asked.as_holder(self.session, case)
            left = answers.undo(self.session, self.parts.desk, who, case)
        except escalation.NotYours:
            return self._reply("officer_nothing_undone")
        return self._of(case, "officer_undone_late" if left else "officer_undone_in_time")

    def _may_undo(self) -> bool:
        if self._just_answered(escalation.UNDO_FOR) is not None:
            return True
        return next(self._replies((PROMISED,), escalation.UNDO_FOR, 1), None) is not None

    # What was said before

    def _open(self, case: Case) -> bool:
        return self.asked.holds(self.session, case)

    def _answered_by_us(self, case: Case) -> bool:
        return any(
            escalation.answered_by(self.session, who, case) is not None
            for who in self.asked.stands_for()
        )

    def _just_answered(self, within: timedelta) -> tuple[Case, timedelta] | None:
        """The case that this person's words by SMS ended last, and how long ago; if nobody has it
        since."""
        last = next(self._replies(ECHOES, within, 1), None)
        if last is None or last.case_id is None:
            return None
        case = self.session.get(Case, last.case_id)
        if case is None or not self._answered_by_us(case):
            return None
        return case, now() - last.created_at

    def _asked_last(self) -> tuple[str, Case, str] | None:
        """(our question, its case, the words that it is about), when it is the last that we said
        and not answered yet."""
        newest = next(self._replies(None, ASKED_FOR, 1), None)
        if newest is None or newest.template not in ASKING:
            return None
        for one in self._replies(ASKING, ASKED_FOR, 3):
            text = self._text_before(one)
            if text is None or one.case_id != newest.case_id:
                return None
            if not chatter.says_yes(find_code(visible(text))[1]):
                case = self.session.get(Case, newest.case_id) if newest.case_id else None
                return None if case is None else (str(newest.template), case, text)
        return None

    def _replies(
        self, templates: tuple[str, ...] | None, within: timedelta, most: int
    ) -> Iterator[Message]:
        """Our last replies to this person, newest first."""
        officer = self.asked.officer
        query = select(Message).where(
            Message.direction == "out",
            Message.kind == outbox.Kind.REPLY.value,
            Message.officer_id == officer.id if officer else Message.officer_id.is_(None),
            Message.created_at > now() - within,
        )
        if templates is not None:
            query = query.where(Message.template.in_(templates))
        rows = self.session.scalars(query.order_by(Message.id.desc()).limit(most * 20))
        mine = (row for row in rows if row.address == self.asked.phone)
        return islice(mine, most)

    def _text_before(self, reply: Message) -> str | None:
        """What was written to us that this replied to."""
        key = f"in:{reply.key.removeprefix('sms:')}"[:120]
        text = self.session.scalar(select(Message.text).where(Message.key == key))
        return text if isinstance(text, str) else None

    # Replies

    def _reply(self, template: str, **values: str) -> Reply:
        return Reply(template, self.asked.language, values)

    def _of(self, case: Case, template: str, **values: str) -> Reply:
        return Reply(template, self.asked.language, {"case": case.code} | values, case_id=case.id)

    def _which(self) -> Reply:
        listed = " ".join(case.code for case in self.asked.waiting(self.session)[:LISTED])
        return self._reply("officer_which", cases=listed)

    def _none_open(self) -> Reply:
        return self._reply("officer_none_open")
