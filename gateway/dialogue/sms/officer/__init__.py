"""An SMS of whoever was asked: an officer, or the operator. The way of it, file by file:

    asked.py    who was asked, and what they wrote: its code, the words beside it, their kind
    own.py      is it about themselves?    off and on duty, language, the list, help
    relay.py    is it a YES to us?         then what we asked about is done
    case.py     else it is about a case:   which one, and what its kind does there (`ACTIONS`)
    relay.py    words that go to the farmer, at once or on a YES, and UNDO
    before.py   what was said before, where that decides
    replies.py  what they read back, where more than a template says it

What kind of text it is, `sms/chatter.py` alone says, by the words in `sms/small_talk.py`. Only
advice is relayed as it comes in; everything else is acted on or asked back, and closes nothing.

A new kind: a row in `chatter.Kind`, its words in `small_talk.py`, its action in `own.ACTIONS` or
`case.ACTIONS`, and rows in `tests/dialogue/test_officers_table.py`.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from gateway.cases.case import by_code
from gateway.dialogue.parts import Parts
from gateway.dialogue.sms.chatter import Kind
from gateway.dialogue.sms.officer import before, case, own, relay
from gateway.dialogue.sms.officer.asked import Asked, Sms
from gateway.dialogue.sms.reply import Reply
from gateway.dialogue.sms.words import Vocabulary

__all__ = ["Asked", "act"]


def act(parts: Parts, session: Session, asked: Asked, words: Vocabulary, text: str) -> Reply | None:
    """Do what the message says; the reply, or None when it speaks as a farmer would."""
    sms = Sms.read(parts, session, asked, words, text)
    if asked.officer is None and not _concerns_operator(sms):
        return None
    return own.act(sms) or relay.confirmed(sms) or case.act(sms)


def _concerns_operator(sms: Sms) -> bool:
    """The operator may be a farmer too; what is about no case of theirs is a farmer's."""
    if sms.kind in (Kind.COMMAND, Kind.OFF, Kind.ON):
        return False
    if sms.code:
        found, asked = by_code(sms.session, sms.code), sms.asked
        return found is not None and (
            asked.holds(sms.session, found) or asked.answered(sms.session, found)
        )
    waits = bool(sms.asked.waiting(sms.session))
    return waits or before.just_answered(sms, before.BELONGS) is not None
