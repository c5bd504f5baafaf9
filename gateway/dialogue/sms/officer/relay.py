"""Words that go to the farmer: at once, with a label, on a YES to our question, or taken back."""

from __future__ import annotations

from datetime import timedelta

from gateway.agronomy import CROP_OF
from gateway.cases import briefing, escalation
from gateway.cases.case import by_code
from gateway.dialogue import advice, answers
from gateway.dialogue.sms import chatter
from gateway.dialogue.sms.chatter import Kind
from gateway.dialogue.sms.officer import before, replies
from gateway.dialogue.sms.officer.asked import Sms, visible
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import SHORT, plain
from gateway.store.models import Case
from gateway.teaching import labels

AT_ONCE = timedelta(minutes=2)
"""So soon it is the rest of an answer that took two SMS."""


def send(
    sms: Sms,
    case: Case,
    words: str,
    label: str | None = None,
    *,
    safe: bool = False,
    more: bool = False,
) -> Reply:
    """Words to the farmer, and the echo; or why not.

    Args:
        more: they go on with an answer that was given.
    """
    session, texts, desk = sms.session, sms.parts.texts, sms.parts.desk
    try:
        who = sms.asked.as_holder(session, case)
        day = answers.answer(
            session, texts, desk, who, case, words, label, safe=safe, more=more, hold=answers.HOLD
        )
    except escalation.NotYours:  # it went to a colleague meanwhile
        return replies.not_yours(sms, case.code)
    except (advice.BadNote, answers.NeedsSafety) as why:
        return replies.refused(sms, case, why, words)
    tail = case.farmer.phone[-4:]
    if day:
        return sms.reply_of(case, before.PROMISED, tail=tail, day=day)
    if more:
        return sms.reply_of(case, before.WENT_ON, tail=tail)
    said = advice.said(texts, advice.tidy(words), safety=safe)
    if len(said) == 1 and said[0].template == advice.WHOLE:
        return sms.reply_of(case, before.DONE, note=said[0].values["note"], tail=tail)
    return sms.reply_of(case, before.DONE_LONG, number=str(len(said)), tail=tail)


def agreed(sms: Sms, case: Case) -> Reply | None:
    """`OK` and a disease, or a bare OK to what the machine said; None where nobody agrees, or the
    words after it are advice of their own."""
    tail = sms.after_ok
    if tail is None or (tail and sms.kind is Kind.SMALL):
        return None
    allowed = [label for label in labels.choices(case.crop) if label != labels.NONE]
    looks = briefing.looks_like(case)
    if not plain(tail):
        if looks is not None and looks not in allowed:
            return sms.reply_of(
                case, "officer_mismatch", photo_crop=CROP_OF[looks], crop=case.crop or "unknown"
            )
        label = looks
    else:
        label = sms.words.label(tail, allowed)
        if label is None and len(plain(tail).split()) > SHORT:
            return None
    if label is None:
        return replies.which_label(sms, case, allowed)
    note = sms.parts.texts.render(f"note_{label}", case.spoken)
    return send(sms, case, note, label=label)


def sure(sms: Sms, case: Case) -> Reply:
    """Ask whether it is advice."""
    try:
        note = advice.tidy(sms.rest)
    except advice.BadNote as fault:
        return replies.refused(sms, case, fault, sms.rest)
    return sms.reply_of(case, before.SURE, note=note)


def confirmed(sms: Sms) -> Reply | None:
    """YES to the last question of ours: the words that it was about are sent. Else None."""
    if not chatter.says_yes(sms.rest):
        return None
    found = before.asked_last(sms)
    if found is None:
        return None
    template, case, text = found
    if sms.code and sms.code != case.code:
        return None
    _, words = chatter.parted(visible(text))
    more = not sms.asked.holds(sms.session, case)
    return send(sms, case, words, safe=template == before.SAFE, more=more)


def belongs(sms: Sms, case: Case, age: timedelta) -> Reply:
    """A text without a code soon after an answer: sent where it goes on with it, or asked about."""
    given = answers.officers_words(sms.session, case)
    if age <= AT_ONCE or not given.rstrip(" \"')").endswith((".", "!", "?")):
        return send(sms, case, sms.rest, more=True)
    return sms.reply_of(case, before.MORE, cases=replies.codes(sms) or "-")


def undo(sms: Sms) -> Reply:
    """Take the last answer or promise back, or that of the case which is named."""
    last = before.may_be_undone(sms, escalation.UNDO_FOR)
    case = by_code(sms.session, sms.code) if sms.code else last
    if case is None:
        return sms.reply("officer_nothing_undone")
    try:
        who = sms.asked.as_holder(sms.session, case)
        left = answers.undo(sms.session, sms.parts.desk, who, case)
    except escalation.NotYours:
        return sms.reply("officer_nothing_undone")
    return sms.reply_of(case, "officer_undone_late" if left else "officer_undone_in_time")
