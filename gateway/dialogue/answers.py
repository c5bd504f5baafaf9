"""What is known of a case, for whoever may read it: shared by the SMS and the USSD side."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.cases import escalation
from gateway.cases.desk import Desk
from gateway.store.models import Case, Escalation, Officer
from gateway.teaching import labels


def answer_with_text(
    session: Session, desk: Desk, officer: Officer, case: Case, note: str, label: str | None
) -> str:
    """The officer answers with a ready text, said in the farmer's language, and labels the photos.

    Args:
        note: catalogue key of the text.
        label: one of the five, or None where the text names no disease.

    Returns:
        The words that the farmer gets.

    Raises:
        NotYours: the case is not this officer's, or was answered before.
    """
    words = desk.texts.render(note, case.farmer.language or case.language)
    escalation.answer(session, desk, officer, case, words, label=label)
    if label is not None:
        labels.record(session, officer, case, label)
    return words


def officers_words(session: Session, case: Case) -> str:
    """The officer's last answer, or an empty text."""
    answered = select(Escalation.answer).where(
        Escalation.case_id == case.id, Escalation.outcome == "answered"
    )
    return session.scalar(answered.order_by(Escalation.id.desc()).limit(1)) or ""
