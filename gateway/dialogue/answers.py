"""What is known of a case, for whoever may read it: shared by the SMS and the USSD side."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.cases import escalation
from gateway.store.models import Case, Diagnosis, Escalation


@dataclass(frozen=True)
class Details:
    """What the officer of a case sees, as the placeholders of its texts."""

    case: str
    crop: str
    disease: str
    confidence: str
    phone: str
    place: str
    count: str

    def values(self) -> dict[str, str]:
        return dict(vars(self)) | {"answer": f"SMS {self.case} ..."}


def details(session: Session, case: Case) -> Details:
    newest = select(Diagnosis).where(Diagnosis.case_id == case.id)
    diagnosis = session.scalar(newest.order_by(Diagnosis.id.desc()).limit(1))
    sure = diagnosis.confidence if diagnosis else None
    return Details(
        case=case.code,
        crop=case.crop or "unknown",
        disease=case.label or (diagnosis and diagnosis.label) or "unknown",
        confidence=f"{sure:.0%}" if sure is not None else "?",
        phone=case.farmer.phone,
        place=case.place or case.area or "?",
        count=escalation.PLANTS.get((case.answers or {}).get("plants", ""), "?"),
    )


def officers_words(session: Session, case: Case) -> str:
    """The officer's last answer, or an empty text."""
    answered = select(Escalation.answer).where(
        Escalation.case_id == case.id, Escalation.outcome == "answered"
    )
    return session.scalar(answered.order_by(Escalation.id.desc()).limit(1)) or ""
