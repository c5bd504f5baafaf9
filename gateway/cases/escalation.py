"""Escalation: a person takes over what the machine cannot tell."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from gateway import outbox
from gateway.cases import briefing, life, routing
from gateway.cases.case import hold, open_case
from gateway.cases.desk import Desk
from gateway.people import officer_links
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Event, Farmer, Message, Officer, Photo

WORSE = "farmer_says_worse"
"""Why a case that was answered is taken up again, with all that is known of it."""
REPORT = "report"
"""Why: she told of a sick crop just now, so what she says counts before what she said earlier."""
SEEN = ("look", "sign", "sounds")
"""What belongs together of her answers."""
FRESH = timedelta(days=14)
"""A case that nobody has closed is still what a farmer means for so long."""
ASKED = "asked"
"""How of a promise by which the farmer is asked to call: there is nobody to announce."""
UNDO_FOR = timedelta(minutes=5)
"""So long may an answer be taken back."""


class NotYours(Exception):
    """The officer may not answer this case: it is unknown, or another officer's."""


@dataclass(frozen=True)
class Said:
    """One SMS of an answer: a text's key and what fills it, beside the case and who answers."""

    template: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Promised:
    how: str
    """`call` or `visit`."""
    officer: str
    phone: str
    day: str

    def values(self) -> dict[str, str]:
        """For the placeholders of the texts."""
        return {"officer": self.officer, "officer_phone": self.phone, "day": self.day}


def escalate(
    session: Session,
    desk: Desk,
    case: Case,
    reason: str,
    *,
    actor: str,
    tell_farmer: bool = True,
) -> Escalation:
    """Give the case to an officer, or to the operator when none is on duty; tell both sides.

    Does nothing but return the open escalation when there is one.
    """
    existing = open_one(session, case)
    if existing is not None:
        return existing
    life.move(session, case, life.ESCALATED, actor=actor, reason=reason)
    officer = routing.taker(session, case, desk.zone)
    escalation = Escalation(case_id=case.id, officer=officer, reason=reason)
    session.add(escalation)
    session.flush()
    _tell_officer(session, desk, case, escalation, officer)
    if tell_farmer:
        desk.tell_farmer(
            session,
            case.farmer,
            "escalation_farmer" if officer else "no_officer",
            key=f"escalation:{escalation.id}:farmer",
            case=case,
        )
    return escalation


def request_officer(
    session: Session,
    desk: Desk,
    farmer: Farmer,
    reason: str,
    *,
    case: Case | None = None,
    crop: str | None = None,
    source: str = "ussd",
    answers: dict[str, str] | None = None,
    another: bool = False,
    area: str | None = None,
) -> Case:
    """A farmer asks for an officer, about a case of hers or about none yet.

    Without a case her open one is meant, for its photos are what the officer needs; asking twice
    changes nothing. Her row is held meanwhile, so that two who ask at once ask one after the other.

    Args:
        crop: another one than that of her open case makes a new one.
        another: she says that it is another problem; so does this, once for each `source`.
        area: where her field is, if she said so just now.
    """
    # Key share: who holds a case of hers meanwhile can write to her.
    session.refresh(farmer, with_for_update={"key_share": True})
    farmer.area = area or farmer.area
    if case is None:
        case = _joined(session, farmer, crop, another=another, source=source)
        if case is None:
            told = {**(answers or {}), "another": "yes"} if another else answers
            case = open_case(session, farmer, source=source, crop=crop, answers=told)
    hold(session, case.id)
    case.area = case.area or farmer.area
    if case.state == life.CLOSED and reason != WORSE:
        case = open_case(session, farmer, source=source, crop=case.crop, answers=answers)
    elif answers and reason == REPORT:
        before = {name: told for name, told in (case.answers or {}).items() if name not in SEEN}
        case.answers = before | answers
    elif answers and set(answers) - set(case.answers or {}):
        case.answers = {**answers, **(case.answers or {})}
    escalate(session, desk, case, reason, actor="farmer")
    return case


def _joined(
    session: Session, farmer: Farmer, crop: str | None, *, another: bool, source: str
) -> Case | None:
    """The open case that a request without one is about."""
    query = (
        select(Case)
        .where(
            Case.farmer_id == farmer.id,
            or_(
                Case.state.in_(life.IN_HAND),
                (Case.state != life.CLOSED) & (Case.updated_at > now() - FRESH),
            ),
        )
        .order_by(Case.state.in_(life.IN_HAND).desc(), Case.id.desc())
    )
    for case in session.scalars(query):
        if crop is not None and case.crop not in (crop, None):
            continue
        if another and not (case.source == source and (case.answers or {}).get("another")):
            continue
        case.crop = case.crop or crop
        return case
    return None


def accept(session: Session, officer: Officer | None, case: Case) -> Escalation:
    """The officer, or the operator (None), says: mine. Raises: NotYours."""
    escalation = _theirs(session, officer, case)
    if escalation.accepted_at is None:
        escalation.accepted_at = now()
        life.move(session, case, life.ACCEPTED, actor=_actor(officer))
    return escalation


def answer(
    session: Session,
    desk: Desk,
    officer: Officer | None,
    case: Case,
    note: str,
    *,
    label: str | None = None,
    said: Sequence[Said] = (),
    not_before: datetime | None = None,
) -> None:
    """Relay the words of an officer, or of the operator (None), to the farmer; close the case.

    Args:
        note: already folded to GSM 03.38 and, without `said`, of the length that a message leaves.
        label: what the officer says it is; what was said before stands when left out.
        said: the note as it goes out, where that is more than one message.
        not_before: the messages wait until then.

    Raises:
        NotYours: the case is not this officer's, or was answered before.
    """
    escalation = _theirs(session, officer, case)
    escalation.answer = note
    escalation.label = label or escalation.label
    _close(escalation, "answered")
    actor = _actor(officer)
    life.move(session, case, life.ANSWERED, actor=actor, reason="officer")
    said = said or [Said("officer_closing", {"note": note})]
    _say(session, desk, officer, case, f"escalation:{escalation.id}:answer", said, not_before)
    life.move(session, case, life.CLOSED, actor=actor)


def promise(
    session: Session,
    desk: Desk,
    officer: Officer | None,
    case: Case,
    how: str,
    day: date,
    due: datetime,
    said: Sequence[Said],
) -> None:
    """The officer says that they will come or call: the farmer is told who and when, and the case
    stays open with them until they say what came of it.

    Args:
        how: `call`, `visit`, or `asked` where the farmer is asked to call.
        day: that the farmer is told.
        due: when the officer is asked what came of it.
        said: their own words, which follow.

    Raises: NotYours.
    """
    escalation = accept(session, officer, case)
    # The same again, as a second tap sends it, is the same message; put off, it is another.
    before = escalation.due_at and escalation.due_at.astimezone(desk.zone).date()
    again = (escalation.promised, before) == (how, due.astimezone(desk.zone).date())
    if not again or case.state != life.PROMISED:
        escalation.promised, escalation.due_at = how, due
        life.move(session, case, life.PROMISED, actor=_actor(officer), reason=how)
        session.flush()
    count = select(func.count(Event.id)).where(
        Event.case_id == case.id, Event.kind == "case", Event.to_state == life.PROMISED
    )
    said = announcement(desk, officer, case, how, day, said)
    told = repr([(one.template, dict(one.values)) for one in said])
    digest = hashlib.sha256(told.encode()).hexdigest()[:16]
    key = f"escalation:{escalation.id}:promise:{session.scalar(count)}:{digest}"
    _say(session, desk, officer, case, key, said, None)


def announcement(
    desk: Desk, officer: Officer | None, case: Case, how: str, day: date, said: Sequence[Said]
) -> list[Said]:
    """Who calls or comes and when, and then the officer's own words."""
    if how == ASKED:
        return list(said)
    who = _promised(desk, officer, case, how, day).values()
    return [Said(f"promise_{how}", who), *said]


def set_label(session: Session, case: Case, label: str | None) -> None:
    """What whoever has the case says it is, before they answer."""
    held = open_one(session, case)
    if held is not None and label is not None:
        held.label = label


def written(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def promised(session: Session, desk: Desk, case: Case) -> Promised | None:
    """Who said that they call or come, as long as that is to come."""
    if case.state != life.PROMISED:
        return None
    query = select(Escalation).where(Escalation.case_id == case.id, Escalation.closed_at.is_(None))
    held = session.scalar(query)
    if held is None or held.promised in (None, ASKED) or held.due_at is None:
        return None
    if held.due_at <= now():
        return None
    day = held.due_at.astimezone(desk.zone).date()
    return _promised(desk, held.officer, case, held.promised or "", day)


def _promised(desk: Desk, officer: Officer | None, case: Case, how: str, day: date) -> Promised:
    if officer is None:
        name = desk.texts.render("operator_name", case.spoken)
        return Promised(how, name, desk.operator_phone, written(day))
    return Promised(how, officer.name, officer.phone, written(day))


def go_on(
    session: Session,
    desk: Desk,
    officer: Officer | None,
    case: Case,
    note: str,
    said: Sequence[Said],
    not_before: datetime | None = None,
) -> None:
    """More words of an answer that was given just now. Raises: NotYours."""
    escalation = answered_by(session, officer, case)
    if escalation is None:
        raise NotYours(case.code)
    escalation.answer = f"{escalation.answer or ''} {note}".strip()
    actor = _actor(officer)
    session.add(Event(kind="went_on", case_id=case.id, actor=actor))
    session.flush()
    count = select(func.count(Event.id)).where(Event.kind == "went_on", Event.case_id == case.id)
    key = f"escalation:{escalation.id}:answer:more:{session.scalar(count)}"
    _say(session, desk, officer, case, key, said, not_before)


def undo(session: Session, desk: Desk, officer: Officer | None, case: Case) -> bool:
    """Take an answer back: the case is open again, with the same person. What has not left is not
    sent; where something has, the farmer is told not to follow it.

    Returns: whether something had left.

    Raises: NotYours when there is no answer of theirs that may still be taken back.
    """
    escalation = answered_by(session, officer, case)
    if escalation is None or (escalation.closed_at or now()) < now() - UNDO_FOR:
        raise NotYours(case.code)
    actor = _actor(officer)
    escalation.outcome = "undone"
    escalation.label = None
    left = outbox.recall(session, f"escalation:{escalation.id}:answer")
    session.flush()
    life.move(session, case, life.ESCALATED, actor=actor, reason="undone")
    again = Escalation(case_id=case.id, officer=officer, reason="undone")
    again.promised, again.due_at = escalation.promised, escalation.due_at
    session.add(again)
    session.flush()
    accept(session, officer, case)
    if again.promised is not None:
        life.move(session, case, life.PROMISED, actor=actor, reason="undone")
    if left:
        key = f"escalation:{escalation.id}:undone"
        desk.tell_farmer(session, case.farmer, "officer_undone", key=key, case=case)
    return left


def unsay(session: Session, desk: Desk, officer: Officer | None, case: Case) -> bool:
    """Take back what was promised just now: as `undo`. The case stays with who has it."""
    held = _theirs(session, officer, case)
    key = f"escalation:{held.id}:promise"
    said = select(func.count(Message.id)).where(
        Message.key.startswith(f"{key}:"), Message.created_at >= now() - UNDO_FOR
    )
    if not session.scalar(said):
        raise NotYours(case.code)
    left = outbox.recall(session, key)
    held.promised = held.due_at = None
    if case.state == life.PROMISED:
        life.move(session, case, life.ACCEPTED, actor=_actor(officer), reason="undone")
    if left:
        own = f"escalation:{held.id}:unsaid:{session.scalar(said)}"
        desk.tell_farmer(session, case.farmer, "officer_undone", key=own, case=case)
    return left


def answered_by(session: Session, officer: Officer | None, case: Case) -> Escalation | None:
    """The case's last word, if it is this person's answer and nobody has the case since."""
    if open_one(session, case) is not None or case.state != life.CLOSED:
        return None
    query = select(Escalation).where(Escalation.case_id == case.id)
    last = session.scalar(query.order_by(Escalation.id.desc()).limit(1))
    if last is None or last.outcome != "answered":
        return None
    return last if last.officer_id == (officer.id if officer else None) else None


def hand_over(
    session: Session, desk: Desk, officer: Officer | None, case: Case, reason: str
) -> bool:
    """Pass the case to a colleague who has not had it. False when there is none; it then stays
    where it is.

    Raises: NotYours.
    """
    escalation = _theirs(session, officer, case)
    colleague = routing.colleague(session, case, desk.zone)
    if colleague is None:
        return False
    actor = _actor(officer)
    pass_on(session, desk, case, escalation, colleague, actor=actor, reason=reason)
    return True


def assign(session: Session, desk: Desk, case: Case, officer: Officer, *, actor: str) -> bool:
    """An operator gives a case that waits for a person to this officer, whoever has it.

    Returns: False when it waits for nobody, the officer has it already, or takes no cases.
    """
    held = open_one(session, case)
    if held is None or held.officer_id == officer.id or officer.disabled_at is not None:
        return False
    session.add(
        Event(kind="handed_over", case_id=case.id, actor=actor, data={"officer": officer.id})
    )
    pass_on(session, desk, case, held, officer, actor=actor, reason="operator")
    return True


def pass_on(
    session: Session,
    desk: Desk,
    case: Case,
    held: Escalation,
    officer: Officer | None,
    *,
    actor: str,
    reason: str,
) -> Escalation:
    """Give an escalated case to another officer, or to the operator (None), and tell them."""
    _close(held, "handed_over")
    session.flush()
    was_promised = case.state == life.PROMISED
    if case.state != life.ESCALATED:
        life.move(session, case, life.ESCALATED, actor=actor, reason=reason)
    successor = Escalation(case_id=case.id, officer=officer, reason=reason)
    session.add(successor)
    session.flush()
    _tell_officer(session, desk, case, successor, officer)
    if was_promised:
        # She waits for somebody who will not come.
        template = "promise_passed" if officer else "no_officer"
        desk.tell_farmer(
            session, case.farmer, template, key=f"escalation:{successor.id}:farmer", case=case
        )
    return successor


def ask_photo(session: Session, desk: Desk, officer: Officer | None, case: Case) -> bool:
    """The officer wants another photo; the case stays with them. Once for each photo there is.

    Returns:
        False when it was asked for already and has not come, or the farmer opted out.

    Raises: NotYours.
    """
    escalation = accept(session, officer, case)
    if photo_awaited(session, case):
        return False
    actor = _actor(officer)
    session.add(Event(kind="photo_asked", case_id=case.id, actor=actor))
    session.flush()
    photos = session.scalar(select(func.count(Photo.id)).where(Photo.case_id == case.id))
    key = f"escalation:{escalation.id}:photo:{photos}"
    template = "low_confidence" if photos else "ask_photo"
    return desk.tell_farmer(session, case.farmer, template, key=key, case=case)


def photo_awaited(session: Session, case: Case) -> bool:
    """An officer asked for another photo of the case, and none came since."""
    asked = select(func.max(Event.at)).where(Event.kind == "photo_asked", Event.case_id == case.id)
    came = select(func.max(Photo.received_at)).where(Photo.case_id == case.id)
    last_asked, last_came = session.scalar(asked), session.scalar(came)
    return last_asked is not None and (last_came is None or last_came < last_asked)


def first_photo_awaited(session: Session, case: Case) -> bool:
    """An officer asked for a photo of a report that has none."""
    photo = select(Photo.id).where(Photo.case_id == case.id).limit(1)
    return session.scalar(photo) is None and photo_awaited(session, case)


def photo_came(session: Session, desk: Desk, case: Case, held: Escalation, photos: int) -> None:
    """Tell the officer who asked for a photo that one came and was judged."""
    asked = select(Event.id).where(Event.kind == "photo_asked", Event.case_id == case.id).limit(1)
    if held.officer is not None and session.scalar(asked) is not None:
        _tell_officer(session, desk, case, held, held.officer, again=f":photo:{photos}")


def withdraw(session: Session, escalation: Escalation) -> None:
    """The case was answered before the officer took it, by a better photo or another officer."""
    _close(escalation, "withdrawn")


def open_one(session: Session, case: Case) -> Escalation | None:
    """The open escalation of a case, if there is one; both are held, the case first."""
    hold(session, case.id)
    query = select(Escalation).where(Escalation.case_id == case.id, Escalation.closed_at.is_(None))
    query = query.with_for_update(of=Escalation)
    return session.scalar(query.execution_options(populate_existing=True))


def open_of(session: Session, farmer: Farmer) -> set[int]:
    """Ids of the open escalations of a farmer's cases."""
    query = select(Escalation.id).join(Case, Case.id == Escalation.case_id)
    mine = query.where(Case.farmer_id == farmer.id, Escalation.closed_at.is_(None))
    return set(session.scalars(mine))


def cases_in_hand(session: Session, farmer: Farmer) -> list[int]:
    """Ids of a farmer's cases that a person has."""
    query = select(Case.id).join(Escalation, Escalation.case_id == Case.id)
    mine = query.where(Case.farmer_id == farmer.id, Escalation.closed_at.is_(None))
    return list(session.scalars(mine))


def with_officer(session: Session, case: Case) -> bool:
    """Whether nobody is looked for: without an officer the operator has the case, and no text may
    tell the farmer otherwise."""
    looked_for = select(Escalation.id).where(
        Escalation.case_id == case.id,
        Escalation.closed_at.is_(None),
        Escalation.officer_id.is_(None),
    )
    return session.scalar(looked_for) is None


def open_cases_of(session: Session, officer: Officer | None) -> list[Case]:
    """The cases of an officer, or of the operator (None), that wait for an answer, oldest first."""
    held_by = Escalation.officer_id
    query = (
        select(Case)
        .join(Escalation, Escalation.case_id == Case.id)
        .where(
            held_by.is_(None) if officer is None else held_by == officer.id,
            Escalation.closed_at.is_(None),
        )
        .order_by(Escalation.opened_at)
    )
    return list(session.scalars(query))


def _theirs(session: Session, officer: Officer | None, case: Case) -> Escalation:
    escalation = open_one(session, case)
    whose = officer.id if officer else None
    if escalation is None or escalation.officer_id != whose or case.state == life.CLOSED:
        raise NotYours(case.code)
    return escalation


def _actor(officer: Officer | None) -> str:
    return f"officer:{officer.id}" if officer else "operator"


def _say(
    session: Session,
    desk: Desk,
    officer: Officer | None,
    case: Case,
    key: str,
    said: Sequence[Said],
    not_before: datetime | None,
) -> None:
    """A message each, in order; the first has the key itself."""
    phone = officer.phone if officer else desk.operator_phone
    for number, one in enumerate(said, 1):
        own = key if number == 1 else f"{key}:{number}"
        values: Mapping[str, Any] = {"officer_phone": phone, **one.values}
        desk.tell_farmer(
            session, case.farmer, one.template, key=own, case=case, not_before=not_before, **values
        )


def _close(escalation: Escalation, outcome: str) -> None:
    escalation.closed_at = now()
    escalation.outcome = outcome


def _tell_officer(
    session: Session,
    desk: Desk,
    case: Case,
    escalation: Escalation,
    officer: Officer | None,
    again: str = "",
) -> None:
    key = f"escalation:{escalation.id}:officer{again}"
    language = officer.language if officer else desk.language
    values = briefing.brief(session, case).values(desk.texts, language, desk.how_to_answer(case))
    template = briefing.template(case, link=officer is not None and bool(desk.link_base))
    if officer is None:
        desk.tell_operator(session, template, key=key, case=case, **values)
        return
    if desk.link_base:
        values["link"] = desk.link_base + officer_links.issue(session, officer, case)
    desk.tell_officer(session, officer, template, key=key, case=case, not_before=None, **values)
