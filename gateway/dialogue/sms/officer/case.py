"""What is about a case: which one is meant, and what each kind of text does there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.cases import escalation
from gateway.cases.case import by_code
from gateway.dialogue.sms.chatter import Kind
from gateway.dialogue.sms.officer import before, relay, replies
from gateway.dialogue.sms.officer.asked import Sms
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import means_code
from gateway.store.models import Case, Officer

Action = Callable[[Sms, Case, Officer | None], Reply]
"""Given in whose name the case is held, None for the operator. Raises: NotYours."""
FOLLOWS = (Kind.ADVICE, Kind.SHORT, Kind.QUESTION, Kind.PROMISE)
"""What may be the rest of an answer given just now."""
WISHES = (
    Kind.SHOW,
    Kind.COMMAND,
    Kind.LIST,
    Kind.OFF,
    Kind.ON,
    Kind.PHOTO,
    Kind.PASS,
)
"""What no OK before it changes."""


def act(sms: Sms) -> Reply:
    if sms.kind is Kind.UNDO:
        return relay.undo(sms)
    if sms.code:
        case = by_code(sms.session, sms.code)
        if case is None or not sms.asked.holds(sms.session, case):
            return replies.not_yours(sms, sms.code)
        return _about(sms, case)
    unsure = means_code(sms.typed)  # a code gone wrong
    if sms.kind in FOLLOWS and sms.after_ok is None and not unsure:
        recent = before.just_answered(sms, before.BELONGS)
        if recent is not None:
            return relay.belongs(sms, *recent)
    waiting = sms.asked.waiting(sms.session)
    if not waiting:
        return replies.none_open(sms)
    return replies.which(sms) if len(waiting) > 1 or unsure else _about(sms, waiting[0])


def _about(sms: Sms, case: Case) -> Reply:
    """Raises nothing: a case that went to a colleague meanwhile is said to be."""
    try:
        who = sms.asked.as_holder(sms.session, case)
        agreed = None if sms.kind in WISHES else relay.agreed(sms, case)
        return agreed or ACTIONS[sms.kind](sms, case, who)
    except escalation.NotYours:
        return replies.not_yours(sms, case.code)


def _shown(sms: Sms, case: Case, _who: Officer | None) -> Reply:
    return replies.shown(sms, case)


def _photo(sms: Sms, case: Case, who: Officer | None) -> Reply:
    asked = escalation.ask_photo(sms.session, sms.parts.desk, who, case)
    return sms.reply_of(case, "officer_photo_asked" if asked else "officer_photo_awaited")


def _pass(sms: Sms, case: Case, who: Officer | None) -> Reply:
    passed = escalation.hand_over(sms.session, sms.parts.desk, who, case, "officer")
    return sms.reply_of(case, "officer_passed" if passed else "officer_nobody_else")


def _no_advice(sms: Sms, case: Case, _who: Officer | None) -> Reply:
    return sms.reply_of(case, "officer_no_advice")


def _absent(sms: Sms, case: Case, _who: Officer | None) -> Reply:
    return sms.reply_of(case, "officer_absent")


def _sure(sms: Sms, case: Case, _who: Officer | None) -> Reply:
    return relay.sure(sms, case)


def _sent(sms: Sms, case: Case, _who: Officer | None) -> Reply:
    return relay.send(sms, case, sms.rest)


ACTIONS: Mapping[Kind, Action] = {
    Kind.ADVICE: _sent,
    Kind.PROMISE: _sent,
    Kind.SHORT: _sure,
    Kind.QUESTION: _sure,
    Kind.SMALL: _no_advice,
    Kind.ABSENT: _absent,
    Kind.PHOTO: _photo,
    Kind.PASS: _pass,
    Kind.REACTION: _no_advice,
    Kind.OURS: _no_advice,
    Kind.AUTOMATIC: _no_advice,
    Kind.OFF: _shown,
    Kind.ON: _shown,
    Kind.LIST: _shown,
    Kind.COMMAND: _shown,
    Kind.SHOW: _shown,
}
"""Every kind but UNDO, which may be about a case that is closed."""
