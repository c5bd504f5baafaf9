"""What was said before: our last replies to this person, and what they wrote before each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from sqlalchemy import select

from gateway import outbox
from gateway.dialogue.sms import chatter
from gateway.dialogue.sms.officer.asked import Sms, visible
from gateway.dialogue.sms.words import find_code
from gateway.store.base import now
from gateway.store.models import Case, Message

BELONGS = timedelta(minutes=10)
"""A text without a code so soon after an answer belongs to it, or is asked about."""
ASKED_FOR = timedelta(minutes=30)
"""How long a YES answers a question of ours."""

DONE, DONE_LONG, WENT_ON = "officer_done", "officer_done_long", "officer_went_on"
ECHOES = (DONE, DONE_LONG, WENT_ON)
"""Replies after which words were relayed."""
PROMISED = "officer_promised"
SURE, SAFE, MORE = "officer_sure", "officer_safety_ask", "officer_more"
ASKING = (SURE, SAFE, MORE)
"""Replies that a YES answers."""


def just_answered(sms: Sms, within: timedelta) -> tuple[Case, timedelta] | None:
    """The case that this person's words by SMS ended last, and how long ago; if nobody has it
    since."""
    last = next(_replies(sms, ECHOES, within, 1), None)
    if last is None or last.case_id is None:
        return None
    case = sms.session.get(Case, last.case_id)
    if case is None or not sms.asked.answered(sms.session, case):
        return None
    return case, now() - last.created_at


def may_be_undone(sms: Sms, within: timedelta) -> Case | None:
    """The case that this person's last answer or promise by SMS was about."""
    last = next(_replies(sms, (*ECHOES, PROMISED), within, 1), None)
    case = sms.session.get(Case, last.case_id) if last and last.case_id else None
    if case is None or last is None:
        return None
    promised = last.template == PROMISED
    return case if promised or sms.asked.answered(sms.session, case) else None


def asked_last(sms: Sms) -> tuple[str, Case, str] | None:
    """(our question, its case, the words that it is about), when it is the last that we said and
    not answered yet."""
    newest = next(_replies(sms, None, ASKED_FOR, 1), None)
    if newest is None or newest.template not in ASKING:
        return None
    for one in _replies(sms, ASKING, ASKED_FOR, 3):
        text = _text_before(sms, one)
        if text is None or one.case_id != newest.case_id:
            return None
        if not chatter.says_yes(find_code(visible(text))[1]):
            case = sms.session.get(Case, newest.case_id) if newest.case_id else None
            return None if case is None else (str(newest.template), case, text)
    return None


def _replies(
    sms: Sms, templates: tuple[str, ...] | None, within: timedelta, most: int
) -> Iterator[Message]:
    """Our last replies to this person, newest first."""
    officer = sms.asked.officer
    query = select(Message).where(
        Message.direction == "out",
        Message.kind == outbox.Kind.REPLY.value,
        Message.officer_id == officer.id if officer else Message.officer_id.is_(None),
        Message.created_at > now() - within,
    )
    if templates is not None:
        query = query.where(Message.template.in_(templates))
    rows = sms.session.scalars(query.order_by(Message.id.desc()).limit(most * 20))
    mine = (row for row in rows if row.address == sms.asked.phone)
    return islice(mine, most)


def _text_before(sms: Sms, reply: Message) -> str | None:
    """What was written to us that this replied to."""
    key = f"in:{reply.key.removeprefix('sms:')}"[:120]
    text = sms.session.scalar(select(Message.text).where(Message.key == key))
    return text if isinstance(text, str) else None
