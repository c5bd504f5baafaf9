"""What a farmer's SMS does."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.agronomy import ADVISED
from gateway.cases import escalation, life
from gateway.cases.case import by_code
from gateway.dialogue.answers import officers_words
from gateway.dialogue.parts import Parts
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import Command, Reading, Vocabulary
from gateway.people import farmers
from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Case, Farmer, Message

HELP_EVERY = timedelta(hours=1)
"""An unknown text gets help at most this often."""
LISTED = 4
"""Case codes that fit one message."""


def act(
    parts: Parts,
    session: Session,
    phone: str,
    farmer: Farmer | None,
    words: Vocabulary,
    text: str,
) -> Reply | None:
    """Do what the message says; the reply, or None when silence is right."""
    said = words.read(text)
    own = farmer.language if farmer else None
    language = own or said.language or parts.language
    match said.command:
        case Command.STOP:
            farmer = farmers.find_or_create(session, phone)
            farmers.opt_out(session, farmer, by="sms")
            return Reply("optout_confirm", language, farmer_id=farmer.id)
        case Command.START if farmer is not None:
            farmers.opt_in(session, farmer, by="sms")
            return Reply("optin_confirm", language, farmer_id=farmer.id)
        case Command.START | Command.HELP:
            return Reply("help_keywords", language)
        case Command.RESULT:
            return _result(session, farmer, said, language)
        case Command.MORE:
            return _more(session, farmer, language)
        case Command.OFFICER:
            return _officer(parts, session, farmer, said, language)
        case Command.LANGUAGE:
            return _language(session, farmer, words, said, language)
    return _unknown(session, phone, farmer, language)


def _result(session: Session, farmer: Farmer | None, said: Reading, language: str) -> Reply:
    if said.code:
        case = by_code(session, said.code)
        return _told(session, case, language) if case else Reply("no_such_case", language)
    if said.rest:
        return Reply("no_such_case", language)
    cases = _cases(session, farmer)
    if len(cases) > 1:
        listed = " ".join(case.code for case in cases[:LISTED])
        return Reply("which_case", language, {"cases": listed})
    return _told(session, cases[0], language) if cases else Reply("no_case_yet", language)


def _told(session: Session, case: Case, language: str) -> Reply:
    """What may be said of a case to whoever knows its code."""
    values = {"case": case.code}
    if case.state in (life.ESCALATED, life.ACCEPTED):
        return Reply("ussd_case_with_officer", language, values, case_id=case.id)
    if case.state == life.PHOTO_REQUESTED:
        return Reply("low_confidence", language, values, case_id=case.id)
    if case.state not in (life.ANSWERED, life.CLOSED):
        return Reply("case_waiting", language, values, case_id=case.id)
    if note := officers_words(session, case):
        values["note"] = note
        return Reply("ussd_case_officer_said", language, values, case_id=case.id)
    template = f"diag_{case.label}" if case.label in ADVISED else "ussd_case_closed"
    return Reply(template, language, values, case_id=case.id)


def _more(session: Session, farmer: Farmer | None, language: str) -> Reply:
    cases = _cases(session, farmer)
    for case in cases:
        if _advised(session, case):
            return Reply(f"prevent_{case.label}", language, case_id=case.id)
    return _told(session, cases[0], language) if cases else Reply("no_case_yet", language)


def _advised(session: Session, case: Case) -> bool:
    """Whether the machine's label is what she was told: an officer's words overrule it."""
    told = case.state in (life.ANSWERED, life.CLOSED)
    return told and case.label in ADVISED and not officers_words(session, case)


def _officer(
    parts: Parts, session: Session, farmer: Farmer | None, said: Reading, language: str
) -> Reply | None:
    if farmer is None or farmer.consent_at is None:
        return Reply("consent_first", language)
    case = by_code(session, said.code) if said.code else None
    if said.code and (case is None or case.farmer_id != farmer.id):
        return Reply("no_such_case", language, farmer_id=farmer.id)
    open_before = escalation.open_of(session, farmer)
    case = escalation.request_officer(
        session, parts.desk, farmer, "farmer_asks", case=case, source="sms"
    )
    held = escalation.open_one(session, case)
    if held is None or held.id not in open_before:
        return None  # escalation has told her, and whether an officer is there
    template = "ussd_case_with_officer" if held.officer_id else "no_officer"
    return Reply(template, language, {"case": case.code}, farmer_id=farmer.id, case_id=case.id)


def _language(
    session: Session, farmer: Farmer | None, words: Vocabulary, said: Reading, language: str
) -> Reply:
    wanted = words.language(said.rest)
    if wanted is None:
        return Reply("language_ask", language)
    if farmer is None:
        return Reply("consent_first", wanted)
    farmers.set_language(session, farmer, wanted, by="sms")
    return Reply("language_set", wanted, farmer_id=farmer.id)


def _unknown(session: Session, phone: str, farmer: Farmer | None, language: str) -> Reply | None:
    if farmer is not None and farmer.opted_out_at is not None:
        return None
    helped = select(Message.id).where(
        Message.address_digest.in_(vault_of(session).numbers(phone)),
        Message.template == "help_keywords",
        Message.created_at > now() - HELP_EVERY,
    )
    if session.scalar(helped.limit(1)) is not None:
        return None
    return Reply("help_keywords", language)


def _cases(session: Session, farmer: Farmer | None) -> list[Case]:
    if farmer is None:
        return []
    newest = select(Case).where(Case.farmer_id == farmer.id).order_by(Case.id.desc())
    return list(session.scalars(newest.limit(LISTED)))
