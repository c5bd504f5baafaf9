"""An officer's answer, given and read: the same by SMS, by USSD and on the page."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.agronomy import products
from gateway.cases import escalation
from gateway.cases.desk import Desk
from gateway.cases.escalation import Said
from gateway.dialogue import advice, promises
from gateway.dialogue.catalogue import Catalogue
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Event, Officer
from gateway.teaching import labels

HOLD = timedelta(minutes=2)
"""Words that nobody saw beforehand, as those by SMS, wait so long: an UNDO within it is in time."""


class NeedsSafety(Exception):
    """The words name a product, an active ingredient or a dose, and nobody has said yet that the
    safety words shall go with them. `named` is what was found, as written."""

    def __init__(self, named: tuple[str, ...]) -> None:
        super().__init__(", ".join(named))
        self.named = named


def answer(
    session: Session,
    texts: Catalogue,
    desk: Desk,
    officer: Officer | None,
    case: Case,
    words: str,
    label: str | None = None,
    *,
    ready: str = "",
    instead: str = "",
    safe: bool = False,
    more: bool = False,
    hold: timedelta = timedelta(0),
) -> str:
    """The words of the officer, or of the operator (None), go to the farmer and end the case, but
    for those that promise a call or a visit; a label goes to all its photos too.

    Args:
        words: in the farmer's language where they are a ready text.
        label: what the officer says it is, where that is said with the answer.
        ready: key of the ready text that the words are.
        instead: and in words, where it is none of the known.
        safe: a product or a dose in the words is meant, with the safety words.
        more: they go on with an answer that was given just now.
        hold: how long they wait before they leave; a promise does not wait.

    Returns: the day by which a call or a visit was promised; empty where the case is answered.

    Raises:
        NotYours: the case is not this person's, or was answered before.
        BadLabel: the label is of another crop than the case.
        BadNote: the words are too long, or cannot be sent.
        NeedsSafety: a product or a dose is in the words, and `safe` was not said.
    """
    if label is not None and label not in labels.choices(case.crop):
        raise labels.BadLabel(f"{label} is no disease of {case.crop}")
    day = ""
    how = None if more else promises.how(words, ready)
    if how is not None:
        own = "" if ready in promises.READY else words
        day = _promise(session, texts, desk, officer, case, how, own, safe)
        escalation.set_label(session, case, label)
    else:
        words, named = _checked(words, safe)
        said = advice.said(texts, words, safety=bool(named))
        until = now() + hold if hold else None
        if more:
            escalation.go_on(session, desk, officer, case, words, said, until)
        else:
            escalation.answer(
                session, desk, officer, case, words, label=label, said=said, not_before=until
            )
        _mark(session, officer, case, named)
    if label is not None and officer is not None:
        labels.record(session, officer, case, label, instead)
    return day


def _promise(
    session: Session,
    texts: Catalogue,
    desk: Desk,
    officer: Officer | None,
    case: Case,
    how: promises.How,
    words: str,
    safe: bool,
) -> str:
    """The farmer is told who calls or comes and when, with the officer's own words, if any, and the
    case stays open until its officer says what came of it. Returns: the day."""
    moment = now()
    day = _day(desk, words, moment)
    words, named = _checked(words, safe) if words else ("", ())
    hours = officer.work_hours if officer else promises.OFFICE_HOURS
    due = promises.due(day, hours, desk.zone, moment)
    said = _beside(texts, words, bool(named))
    escalation.promise(session, desk, officer, case, how, day, due, said)
    _mark(session, officer, case, named)
    return escalation.written(day)


def preview(
    texts: Catalogue, desk: Desk, officer: Officer, case: Case, words: str, ready: str, safe: bool
) -> list[Said]:
    """What the farmer would be sent of these words, in order. Raises: BadNote."""
    safety = safe and bool(products.found(words))
    how = promises.how(words, ready)
    if how is None:
        return advice.said(texts, words, safety=safety)
    words = "" if ready in promises.READY else words
    said = _beside(texts, words, safety)
    return escalation.announcement(desk, officer, case, how, _day(desk, words, now()), said)


def _day(desk: Desk, words: str, moment: datetime) -> date:
    """By which they call or come: the day that the words name, or soon."""
    today = moment.astimezone(desk.zone).date()
    return promises.day(words, today) or today + promises.WITHIN


def _beside(texts: Catalogue, words: str, safety: bool) -> list[Said]:
    said = advice.beside(texts, words) if words else []
    return [*said, Said(advice.SAFETY)] if safety else said


def undo(session: Session, desk: Desk, officer: Officer | None, case: Case) -> bool:
    """Take an answer back, with the label that came with it, or a promise. Raises: NotYours.

    Returns: whether something of it had left already.
    """
    if escalation.open_one(session, case) is not None:
        return escalation.unsay(session, desk, officer, case)
    left = escalation.undo(session, desk, officer, case)
    if officer is not None:
        labels.take_back(session, officer, case)
    return left


def officers_words(session: Session, case: Case) -> str:
    """The officer's last answer, or an empty text."""
    answered = select(Escalation.answer).where(
        Escalation.case_id == case.id, Escalation.outcome == "answered"
    )
    return session.scalar(answered.order_by(Escalation.id.desc()).limit(1)) or ""


def read_back(texts: Catalogue, case: Case, words: str, language: str) -> tuple[str, ...]:
    """An officer's words once more, as the SMS that carry them."""
    return tuple(
        part + texts.whole("ussd_case_officer_said", language, case=case.code, note=piece)
        for part, piece in advice.numbered(advice.pieces(texts, words))
    )


def _checked(words: str, safe: bool) -> tuple[str, tuple[str, ...]]:
    """The words in the GSM alphabet, and what of a product or a dose they name."""
    words = advice.tidy(words)
    named = products.found(words)
    if named and not safe:
        raise NeedsSafety(named)
    return words, named


def _mark(session: Session, officer: Officer | None, case: Case, named: tuple[str, ...]) -> None:
    if named:
        actor = f"officer:{officer.id}" if officer else "operator"
        data = {"named": list(named)}
        session.add(Event(kind="product_named", case_id=case.id, actor=actor, data=data))
