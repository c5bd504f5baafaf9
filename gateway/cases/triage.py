"""Triage: what to do with a verdict. A pure function, one rule a line, first match wins.

The rules are those of the agronomy reference: "looks like", never "is"; a second photo before a
guess; `healthy` and the diseases are known for one crop each; nothing on a machine's word alone
where much is at stake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gateway import agronomy
from gateway.agronomy import advice

Action = Literal["advise", "ask_photo", "escalate"]


@dataclass(frozen=True)
class Finding:
    """What the machine said of all photos of a case together."""

    verdict: str
    """`advice`, `second_photo`, `unknown`, `no_leaf` or `unreadable`."""
    label: str | None = None
    confidence: float | None = None
    disagree: bool = False
    """Two photos of the case were each confident, and of different things."""
    poor: bool = False
    """Every photo of the case is blurred, dark or burnt: whatever the machine says, it guesses."""
    blank: int = 0
    """Photos without a leaf that others with one were taken after; they count for nothing."""


@dataclass(frozen=True)
class Facts:
    """What triage needs to know of a case beside the verdict."""

    crop: str | None
    photos_judged: int
    """Photos judged so far, this one included."""
    stage: str | None = None
    """As told: `young`, `before_flowering`, `flowering`, `filling`."""
    plants: str | None = None
    """How many are sick, as told: `one`, `few`, `half`, `most`."""
    sprayed: str | None = None
    seed: str | None = None
    """Whether it is grown for seed or cuttings."""
    pods: str | None = None
    """Whether there are spots on the pods."""

    def told(self) -> dict[str, str]:
        return {name: told for name in advice.FACTS if (told := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Decision:
    action: Action
    message: str
    """Catalogue key of the farmer's message."""
    reason: str


def triage(finding: Finding, facts: Facts) -> Decision:
    first = facts.photos_judged <= 1
    if finding.disagree:
        return _escalate("photos_disagree")
    if finding.poor and finding.verdict in ("advice", "second_photo"):
        if first:
            return Decision("ask_photo", "photo_unusable", "poor_photo")
        return _escalate("poor_photo_twice")
    match finding.verdict:
        case "advice" if finding.label in agronomy.ADVISED:
            return _confident(finding.label, facts)
        case "second_photo" if first:
            return Decision("ask_photo", "low_confidence", "unsure")
        case "no_leaf" if first:
            return Decision("ask_photo", "no_leaf", "no_leaf")
        case "second_photo":
            return _escalate("unsure_twice")
        case "no_leaf":
            return _escalate("no_leaf_twice")
        case "advice" if finding.label in agronomy.DISEASES:
            return _escalate("not_advised")
        case "unknown" | "unreadable":
            return _escalate(finding.verdict)
    return _escalate("machine_failed")


def _confident(label: str, facts: Facts) -> Decision:
    if facts.crop is not None and facts.crop != agronomy.CROP_OF[label]:
        return _escalate("crop_mismatch")
    told = facts.told()
    if why := agronomy.person_needed(facts.crop, told, label):
        return _escalate(why)
    return Decision("advise", f"diag_{advice.text_of(label, told)}", "confident")


def _escalate(reason: str) -> Decision:
    return Decision("escalate", "escalation_farmer", reason)
