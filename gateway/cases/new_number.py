"""A changed SIM: a case goes to its farmer's new number, on two facts or on an officer's word.

What is written of the case goes with it, and so belongs to an erasure or an export of the new one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.cases import codes, escalation
from gateway.cases.case import hold
from gateway.cases.desk import Desk
from gateway.outbox import money
from gateway.outbox.kinds import Kind
from gateway.people import areas, farmers
from gateway.privacy import consent
from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Case, Event, Message
from gateway.store.states import MessageState
from gateway.words import plain

FACTS = 2
"""So many must be right, and none of the digits wrong."""
A_DAY = 5
"""Tries at one case, from all numbers together; see `guesses` for those of one number."""
WAITING = (MessageState.QUEUED, MessageState.HELD)


def another_try(session: Session, case: Case, zone: ZoneInfo) -> bool:
    """Count one; False when the case has had those of today."""
    day = now().astimezone(zone).date()
    return money.count(session, f"moving:{case.id}", day) <= A_DAY


def proved(case: Case, words: str, crops: Collection[str]) -> bool:
    """Whether the words name two facts of the case: the end of its old number, crop, district.

    Args:
        crops: those that the words name.
    """
    if case.farmer_id in farmers.NO_PERSON:
        return False
    said = " ".join(word for word in plain(words).split() if not _is_code(word))
    digits = [one for one in re.findall(r"\d+", said) if len(one) >= 4]
    if any(not case.farmer.phone.endswith(one.lstrip("0")) for one in digits):
        return False
    padded = f" {said} "
    places = [plain(unit) for unit in areas.units(case.area or "")] + [plain(case.place or "")]
    facts = (bool(digits), case.crop in crops, any(p and f" {p} " in padded for p in places))
    return sum(facts) >= FACTS


def _is_code(word: str) -> bool:
    try:
        return bool(codes.parse(word))
    except codes.BadCode:
        return False


def move(session: Session, desk: Desk, case: Case, phone: str, *, actor: str) -> bool:
    """Give the case to another number (E.164); both are told, and whoever has the case.

    The old number is told so that nobody takes a case away unseen.

    Returns: False when it is the case's number already.
    """
    hold(session, case.id)
    old = case.farmer
    if old.phone == phone or case.farmer_id in farmers.NO_PERSON:
        return False
    new = farmers.find_or_create(session, phone, lock=True)
    new.language = new.language or case.language
    new.area, new.place = new.area or old.area, new.place or old.place
    if old.consent_at is not None and not consent.withdrawn(new):
        consent.give(session, new, by=actor, text="moved")
    case.farmer = new
    session.flush()
    theirs = select(Message).where(Message.case_id == case.id, Message.farmer_id == old.id)
    for message in session.scalars(theirs).all():
        message.farmer_id = new.id
        if message.direction == "out" and message.state in WAITING:
            message.address = phone
            message.address_digest = vault_of(session).number(phone)
    session.add(Event(kind="number_changed", case_id=case.id, actor=actor))
    session.flush()
    key = f"case:{case.id}:moved:{new.id}"
    desk.tell_farmer(session, new, "case_moved", key=key, case=case, kind=Kind.REPLY)
    desk.tell_farmer(session, old, "case_moved_away", key=f"{key}:old", tail=phone[-4:], case=case)
    held = escalation.open_one(session, case)
    if held is not None and held.officer is not None and actor != f"officer:{held.officer_id}":
        desk.tell_officer(
            session,
            held.officer,
            "officer_new_number",
            key=f"{key}:officer",
            case=case,
            phone=phone,
        )
    return True
