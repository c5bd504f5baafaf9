"""What an officer is told of a case, in the placeholders of the texts: by SMS and by USSD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.agronomy import CROP_OF, DISEASES, symptoms
from gateway.agronomy.symptoms import Look, Trouble
from gateway.agronomy.table import TOLD
from gateway.store.models import Case, Escalation, Photo

PLANTS = {"one": "1", "few": "<10", "half": "50%", "most": ">50%"}
"""How many plants are sick, as the farmer told it, in the fewest characters."""

MOST_PHOTOS = 9
"""More are said to be so many: the text has room for a digit."""

NO_DISEASE = ("unknown", "no_leaf", "unreadable")
"""Verdicts that name no disease, whatever came nearest."""

WHY = {
    "most_plants": "many",
    "crop_mismatch": "mismatch",
    "photos_disagree": "disagree",
    "unsure_twice": "unsure",
    "poor_photo_twice": "poor",
    "no_leaf_twice": "no_leaf",
    "no_leaf": "no_leaf",
    "unknown": "strange",
    "not_advised": "strange",
    "unreadable": "unjudged",
    "machine_failed": "unjudged",
    "mixed_models": "unjudged",
    "verdict_damaged": "unjudged",
    "no_answer": "unjudged",
    "undelivered": "no_sms",
    "spraying": "spraying",
    "spreading": "spreading",
    "worse": "spreading",
    "wrong": "wrong",
    "unknown_crop": "crop",
    "half_plants": "half",
    "seed_crop": "seed",
    "pods": "pods",
    "sprayed": "sprayed",
} | dict.fromkeys(TOLD["stage"], "stage")
"""Why a case came to a person: a key of the `why_` texts. Any other reason is a farmer's wish."""

CHANGED_HANDS = ("unanswered", "undone", "officer", "operator", "far", "busy", "language")
"""Reasons that say nothing of the plant: the one before them does."""


class Texts(Protocol):
    def render(self, key: str, language: str | None, **values: object) -> str: ...


@dataclass(frozen=True)
class Briefing:
    crop: str
    finding: str
    """Key of a text, which `disease`, `confidence` and `photo_crop` fill."""
    disease: str
    confidence: str
    """Empty where the machine gave none."""
    photo_crop: str
    phone: str
    place: str
    why: str
    count: str
    stage: str
    sprayed: str
    photos: int
    look: str = ""
    sign: str = ""
    sounds: str = ""
    """What the farmer of a report without a photo says that it looks like, and what that sounds
    like: keys of texts, empty where she was not asked."""

    def values(self, texts: Texts, language: str, answer: str) -> dict[str, str]:
        """For the texts to officers. Args: answer: how the officer answers."""
        finding = {
            "finding_label": {"disease": self.disease, "confidence": self.confidence},
            "finding_named": {"disease": self.disease},
            "finding_sounds": {"disease": self.sounds},
            "finding_mismatch": {"photo_crop": self.photo_crop, "crop": self.crop},
        }.get(self.finding, {})
        return {
            "crop": self.crop,
            "finding": texts.render(self.finding, language, **finding),
            "why": self.why,
            "told": self._told(texts, language),
            "phone": self.phone,
            "where": self.place,
            "answer": answer,
        }

    def seen(self, texts: Texts, language: str) -> str:
        """In the farmer's own choice of words."""
        keys = [f"option_look_{self.look}" if self.look else ""]
        keys += [f"option_sign_{self.sign}" if self.sign else ""]
        return "; ".join(texts.render(key, language) for key in keys if key)

    def _told(self, texts: Texts, language: str) -> str:
        """Only what was told: an officer reads no question marks."""
        photos = str(min(self.photos, MOST_PHOTOS))
        said = [
            texts.render(f"told_stage_{self.stage}", language) if self.stage else "",
            self.count,
            texts.render(f"told_sprayed_{self.sprayed}", language) if self.sprayed else "",
            texts.render("told_photos", language, photos=photos) if self.photos else "",
        ]
        return ", ".join(filter(None, said)) or "-"


def brief(session: Session, case: Case) -> Briefing:
    told = case.answers or {}
    label = looks_like(case)
    photos = session.scalar(select(func.count(Photo.id)).where(Photo.case_id == case.id)) or 0
    stage, sprayed = told.get("stage"), told.get("sprayed")
    looked = _looked(told, case.crop)
    trouble = _sounds(case)
    return Briefing(
        crop=case.crop or "unknown",
        finding=_finding(case, label, photos),
        look=looked.name if looked else "",
        sign=told["sign"] if looked and told.get("sign") in _signs(looked) else "",
        sounds=trouble.code if trouble else "",
        disease=label or "unknown",
        confidence=f"{case.confidence:.0%}" if case.confidence is not None else "",
        photo_crop=CROP_OF[label] if label else "unknown",
        phone=case.farmer.phone,
        place=case.place or case.area or "?",
        why=why(session, case),
        count=PLANTS.get(told.get("plants", ""), ""),
        stage=stage if stage in TOLD["stage"] else "",
        sprayed=sprayed if sprayed in TOLD["sprayed"] else "",
        photos=photos,
    )


def looks_like(case: Case) -> str | None:
    """The disease that the photos look like; None where the machine names none."""
    return case.label if case.label in DISEASES and case.verdict not in NO_DISEASE else None


def _looked(told: Mapping[str, str], crop: str | None) -> Look | None:
    return next(
        (row for row in symptoms.looks_of(crop or "") if row.name == told.get("look")), None
    )


def _signs(look: Look) -> set[str]:
    return {sign.name for sign in look.signs}


def _sounds(case: Case) -> Trouble | None:
    told = case.answers or {}
    return symptoms.sounds_like(case.crop or "", told.get("look", ""), told.get("sign", ""))


def _finding(case: Case, label: str | None, photos: int) -> str:
    told = case.answers or {}
    if label is None and not photos and case.verdict not in NO_DISEASE:
        if _sounds(case):
            return "finding_sounds"
        if (look := _looked(told, case.crop)) and look.name != "none":
            return f"option_look_{look.name}"
    if label is None:
        return "finding_unknown" if photos or case.verdict in NO_DISEASE else "finding_none"
    other = case.crop is not None and case.crop != CROP_OF[label]
    if other:
        return "finding_mismatch"
    return "finding_named" if case.confidence is None else "finding_label"


def why(session: Session, case: Case) -> str:
    """Why the case came to a person: what follows `why_` in the key of a text."""
    query = select(Escalation.reason).where(Escalation.case_id == case.id)
    reasons = session.scalars(query.order_by(Escalation.id.desc()))
    reason = next((one for one in reasons if one not in CHANGED_HANDS), "")
    return WHY.get(reason, "asks")


def template(case: Case, link: bool = False) -> str:
    """The text that tells an officer of a case: one that no photo speaks for names no disease."""
    name = "escalation_officer" if looks_like(case) else "escalation_officer_report"
    return f"{name}_link" if link else name


def by_sms(case: Case) -> str:
    """How an officer answers where SMS goes both ways."""
    return f"{case.code} ..."
