"""What an officer writes: `CODE words`, `CODE OK label`, `CODE ?`, or words for the one case."""

from __future__ import annotations

import unicodedata

from sqlalchemy.orm import Session

from gateway.agronomy import LABELS
from gateway.cases import briefing, escalation
from gateway.cases.case import by_code
from gateway.dialogue import gsm7
from gateway.dialogue.answers import answer
from gateway.dialogue.parts import Parts
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import (
    SHORT,
    Command,
    Vocabulary,
    find_code,
    means_code,
    plain,
)
from gateway.people import officers
from gateway.store.models import Case, Officer

LISTED = 4
"""Case codes that fit one message."""

OK = "OK"
_AS_FARMER = (Command.STOP, Command.START)
_NO_ANSWER = (Command.HELP, Command.RESULT, Command.MORE, Command.OFFICER, Command.LANGUAGE)
"""A lone keyword is no advice that a farmer could use."""


def act(
    parts: Parts, session: Session, officer: Officer, words: Vocabulary, text: str
) -> Reply | None:
    """Do what the message says; the reply, or None when it speaks as a farmer would."""
    said = words.read(text)
    if said.alone and said.command in _AS_FARMER:
        return None
    if said.command is Command.LANGUAGE and len(plain(text).split()) <= SHORT:
        wanted = words.language(said.rest)
        if wanted is not None:
            officers.set_language(officer, wanted)
            return Reply("language_set", wanted)
        if said.alone:
            return Reply("language_ask", officer.language)
    language = officer.language
    if _is_no_answer(words, text):
        return Reply("officer_help", language)
    code, rest = find_code(text)
    if code:
        case = by_code(session, code)
        held = escalation.open_one(session, case) if case else None
        if case is None or held is None or held.officer_id != officer.id:
            return Reply("officer_not_yours", language, {"case": code})
        return _answered(parts, session, officer, case, words, rest)
    waiting = escalation.open_cases_of(session, officer)
    if not waiting:
        return Reply("officer_none_open", language)
    if len(waiting) > 1 or means_code(text) or _too_short(text):
        listed = " ".join(case.code for case in waiting[:LISTED])
        return Reply("officer_which", language, {"cases": listed})
    return _answered(parts, session, officer, waiting[0], words, rest)


def _answered(
    parts: Parts, session: Session, officer: Officer, case: Case, words: Vocabulary, rest: str
) -> Reply:
    try:
        return _about(parts, session, officer, case, words, rest)
    except escalation.NotYours:  # it went to a colleague meanwhile
        return Reply("officer_not_yours", officer.language, {"case": case.code})


def _is_no_answer(words: Vocabulary, text: str) -> bool:
    command, _ = words.keywords.get(plain(text), (None, ""))
    return command in _NO_ANSWER


def _too_short(text: str) -> bool:
    """One word such as "thanks" is no answer to relay without a code before it."""
    return len(plain(text).split()) == 1 and plain(text) != OK


def _about(
    parts: Parts, session: Session, officer: Officer, case: Case, words: Vocabulary, rest: str
) -> Reply:
    if not plain(rest) or _is_no_answer(words, rest):
        values = briefing.brief(case).values(briefing.by_sms(case)) | {"case": case.code}
        return Reply(briefing.template(case), officer.language, values, case_id=case.id)
    first, *others = rest.split(maxsplit=1)
    if plain(first) == OK:
        tail = " ".join(others)
        return _confirm(parts, session, officer, case, words.label(tail) or _own(case, tail))
    return _relay(parts, session, officer, case, rest)


def _own(case: Case, tail: str) -> str | None:
    """A bare OK agrees with what the machine said."""
    return case.label if not plain(tail) else None


def _confirm(
    parts: Parts, session: Session, officer: Officer, case: Case, label: str | None
) -> Reply:
    values = {"case": case.code}
    if label not in LABELS:
        return Reply("officer_label", officer.language, values, case_id=case.id)
    note = parts.texts.render(f"note_{label}", case.spoken)
    answer(session, parts.desk, officer, case, note, label)
    return Reply("officer_done", officer.language, values | {"note": note}, case_id=case.id)


def _relay(parts: Parts, session: Session, officer: Officer, case: Case, words: str) -> Reply:
    values = {"case": case.code}
    try:
        folded = gsm7.fold(words)
    except gsm7.NotGsm as error:
        letter = error.letters[0]
        named = unicodedata.name(letter, f"U+{ord(letter):04X}")
        return Reply(
            "officer_letters", officer.language, values | {"letters": named}, case_id=case.id
        )
    note = gsm7.cut(" ".join(folded.split()), parts.texts.room("note"))
    answer(session, parts.desk, officer, case, note)
    template = "officer_done" if note == " ".join(folded.split()) else "officer_cut"
    return Reply(template, officer.language, values | {"note": note}, case_id=case.id)
