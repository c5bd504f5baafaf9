"""An officer's answer, given and read: the same by SMS, by USSD and on the page."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.cases import escalation
from gateway.cases.desk import Desk
from gateway.store.models import Case, Escalation, Officer
from gateway.teaching import labels


def answer(
    session: Session,
    desk: Desk,
    officer: Officer,
    case: Case,
    words: str,
    label: str | None = None,
) -> None:
    """The officer's words go to the farmer and end the case; a label goes to all its photos too.

    Args:
        words: in the farmer's language where they are a ready text, and short enough.
        label: what the officer says it is, where that is said with the answer.

    Raises:
        NotYours: the case is not this officer's, or was answered before.
    """
    escalation.answer(session, desk, officer, case, words, label=label)
    if label is not None:
        labels.record(session, officer, case, label)


def officers_words(session: Session, case: Case) -> str:
    """The officer's last answer, or an empty text."""
    answered = select(Escalation.answer).where(
        Escalation.case_id == case.id, Escalation.outcome == "answered"
    )
    return session.scalar(answered.order_by(Escalation.id.desc()).limit(1)) or ""
