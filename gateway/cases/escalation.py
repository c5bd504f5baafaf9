"""Escalation: a person takes over what the machine cannot tell."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from gateway.cases import briefing, life, routing
from gateway.cases.case import hold, open_case
from gateway.cases.desk import Desk
from gateway.people import officer_links
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Event, Farmer, Officer, Photo

WORSE = "farmer_says_worse"
"""Why a case that was answered is taken up again, with all that is known of it."""
FRESH = timedelta(days=14)
"""A case that nobody has closed is still what a farmer means for so long."""


class NotYours(Exception):
    """The officer may not answer this case: it is unknown, or another officer's."""


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
) -> Case:
    """A farmer asks for an officer, about a case of hers or about none yet.

    Without a case her open one is meant, for its photos are what the officer needs; asking twice
    changes nothing. Her row is held meanwhile, so that two who ask at once ask one after the other.

    Args:
        crop: another one than that of her open case makes a new one.
        another: she says that it is another problem; so does this, once for each `source`.
    """
    # Key share: who holds a case of hers meanwhile can write to her.
    session.refresh(farmer, with_for_update={"key_share": True})
    if case is None:
        case = _joined(session, farmer, crop, another=another, source=source)
        if case is None:
            told = {**(answers or {}), "another": "yes"} if another else answers
            case = open_case(session, farmer, source=source, crop=crop, answers=told)
    hold(session, case.id)
    if case.state == life.CLOSED and reason != WORSE:
        case = open_case(session, farmer, source=source, crop=case.crop, answers=answers)
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
                Case.state.in_([life.ESCALATED, life.ACCEPTED]),
                (Case.state != life.CLOSED) & (Case.updated_at > now() - FRESH),
            ),
        )
        .order_by(Case.state.in_([life.ESCALATED, life.ACCEPTED]).desc(), Case.id.desc())
    )
    for case in session.scalars(query):
        if crop is not None and case.crop not in (crop, None):
            continue
        if another and not (case.source == source and (case.answers or {}).get("another")):
            continue
        case.crop = case.crop or crop
        return case
    return None


def accept(session: Session, officer: Officer, case: Case) -> Escalation:
    """The officer says: mine. Raises: NotYours."""
    escalation = _theirs(session, officer, case)
    if escalation.accepted_at is None:
        escalation.accepted_at = now()
        life.move(session, case, life.ACCEPTED, actor=f"officer:{officer.id}")
    return escalation


def answer(
    session: Session,
    desk: Desk,
    officer: Officer,
    case: Case,
    note: str,
    *,
    label: str | None = None,
) -> None:
    """Relay the officer's words to the farmer in one message, and close the case.

    Args:
        note: already folded to GSM 03.38 and cut to the length that the message leaves.
        label: what the officer says it is; what was said before stands when left out.

    Raises:
        NotYours: the case is not this officer's, or was answered before.
    """
    escalation = _theirs(session, officer, case)
    escalation.answer = note
    escalation.label = label or escalation.label
    _close(escalation, "answered")
    actor = f"officer:{officer.id}"
    life.move(session, case, life.ANSWERED, actor=actor, reason="officer")
    desk.tell_farmer(
        session,
        case.farmer,
        "officer_closing",
        key=f"escalation:{escalation.id}:answer",
        case=case,
        note=note,
        officer_phone=officer.phone,
    )
    life.move(session, case, life.CLOSED, actor=actor)


def hand_over(session: Session, desk: Desk, officer: Officer, case: Case, reason: str) -> bool:
    """Pass the case to a colleague who has not had it. False when there is none; it then stays
    where it is.

    Raises: NotYours.
    """
    escalation = _theirs(session, officer, case)
    colleague = routing.colleague(session, case, desk.zone)
    if colleague is None:
        return False
    actor = f"officer:{officer.id}"
    pass_on(session, desk, case, escalation, colleague, actor=actor, reason=reason)
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
    if case.state == life.ACCEPTED:
        life.move(session, case, life.ESCALATED, actor=actor, reason=reason)
    successor = Escalation(case_id=case.id, officer=officer, reason=reason)
    session.add(successor)
    session.flush()
    _tell_officer(session, desk, case, successor, officer)
    return successor


def ask_photo(session: Session, desk: Desk, officer: Officer, case: Case) -> bool:
    """The officer wants another photo; the case stays with them. Once for each photo there is.

    Returns:
        False when it was asked for already and has not come, or the farmer opted out.

    Raises: NotYours.
    """
    escalation = accept(session, officer, case)
    if photo_awaited(session, case):
        return False
    actor = f"officer:{officer.id}"
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


def open_cases_of(session: Session, officer: Officer) -> list[Case]:
    """The officer's cases that wait for an answer, oldest first."""
    query = (
        select(Case)
        .join(Escalation, Escalation.case_id == Case.id)
        .where(Escalation.officer_id == officer.id, Escalation.closed_at.is_(None))
        .order_by(Escalation.opened_at)
    )
    return list(session.scalars(query))


def _theirs(session: Session, officer: Officer, case: Case) -> Escalation:
    escalation = open_one(session, case)
    if escalation is None or escalation.officer_id != officer.id or case.state == life.CLOSED:
        raise NotYours(case.code)
    return escalation


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
    values = briefing.brief(case).values(desk.how_to_answer(case))
    if officer is None:
        desk.tell_operator(session, briefing.template(case), key=key, case=case, **values)
    elif desk.link_base:
        values["link"] = desk.link_base + officer_links.issue(session, officer, case)
        linked = briefing.template(case, link=True)
        desk.tell_officer(session, officer, linked, key=key, case=case, **values)
    else:
        desk.tell_officer(session, officer, briefing.template(case), key=key, case=case, **values)
