"""What an officer is told of a case, in the placeholders of the texts."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.agronomy import DISEASES
from gateway.store.models import Case

PLANTS = {"one": "1", "few": "<10", "half": "50%", "most": ">50%"}
"""How many plants are sick, as the farmer told it, in the fewest characters."""


@dataclass(frozen=True)
class Briefing:
    crop: str
    disease: str
    confidence: str
    phone: str
    place: str
    count: str

    def values(self, answer: str) -> dict[str, str]:
        """With `answer`, how the officer answers."""
        return dict(vars(self)) | {"answer": answer}


def brief(case: Case) -> Briefing:
    return Briefing(
        crop=case.crop or "unknown",
        disease=case.label if case.label in DISEASES else "unknown",
        confidence=f"{case.confidence:.0%}" if case.confidence is not None else "?",
        phone=case.farmer.phone,
        place=case.place or case.area or "?",
        count=PLANTS.get((case.answers or {}).get("plants", ""), "?"),
    )


def template(case: Case, link: bool = False) -> str:
    """The text that tells an officer of a case: one that no photo speaks for names no disease."""
    name = "escalation_officer" if case.label else "escalation_officer_report"
    return f"{name}_link" if link else name


def by_sms(case: Case) -> str:
    """How an officer answers where SMS goes both ways."""
    return f"SMS {case.code} ..."
