"""What whoever was asked reads back, where more than the name of a template decides it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from gateway.agronomy import DISEASES
from gateway.cases import briefing
from gateway.dialogue import advice, answers
from gateway.dialogue.sms.officer import before
from gateway.dialogue.sms.officer.asked import Sms
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import plain
from gateway.store.models import Case

LISTED = 4
"""Case codes that fit one message."""


def codes(sms: Sms) -> str:
    """Of the cases that wait for this person, as many as fit."""
    return " ".join(case.code for case in sms.asked.waiting(sms.session)[:LISTED])


def which(sms: Sms) -> Reply:
    return sms.reply("officer_which", cases=codes(sms))


def none_open(sms: Sms) -> Reply:
    return sms.reply("officer_none_open")


def not_yours(sms: Sms, code: str) -> Reply:
    return sms.reply("officer_not_yours", case=code)


def shown(sms: Sms, case: Case) -> Reply:
    """The case as its first message told of it."""
    told = briefing.brief(sms.session, case)
    values = told.values(sms.parts.texts, sms.asked.language, briefing.by_sms(case))
    return sms.reply_of(case, briefing.template(case), **values)


def which_label(sms: Sms, case: Case, allowed: Collection[str]) -> Reply:
    """The labels of the crop, as short as they may be written."""
    if not allowed:
        return sms.reply_of(case, "officer_label_none")
    rows = sorted((DISEASES[label] for label in allowed), key=lambda row: row.number)
    texts, language = sms.parts.texts, sms.asked.language
    names = (texts.text(f"disease_{row.label}", language) for row in rows)
    short = ", ".join(plain(name).split()[-1] for name in names)
    return sms.reply_of(case, "officer_label", crop=case.crop or "unknown", labels=short)


def refused(sms: Sms, case: Case, why: advice.BadNote | answers.NeedsSafety, words: str) -> Reply:
    """Why words are not sent, or not yet."""
    if isinstance(why, answers.NeedsSafety):
        return sms.reply_of(case, before.SAFE, product=why.named[0])
    if why.reason == "letters":
        letter = why.detail[0]
        named = unicodedata.name(letter, f"U+{ord(letter):04X}")
        return sms.reply_of(case, "officer_letters", letters=named)
    if why.reason == "too_long":
        return sms.reply_of(
            case, "officer_too_long", fits=str(why.fits), letters_typed=str(len(words))
        )
    return sms.reply_of(case, "officer_no_advice")
