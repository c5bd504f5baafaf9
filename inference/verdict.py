"""What the model's numbers mean for a farmer: one verdict, and how several photos are combined.

All functions here are pure; they need neither ONNX Runtime nor a picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from inference.labels import FIRST_LABELS, LABELS

Decision = Literal["advice", "second_photo", "unknown", "no_leaf", "unreadable"]

ADVICE: Decision = "advice"  # known and sure enough: the label's advice may be sent
SECOND_PHOTO: Decision = "second_photo"  # maybe: another leaf or another angle would help
UNKNOWN: Decision = "unknown"  # a plant perhaps, but none of the labels
NO_LEAF: Decision = "no_leaf"  # hardly anything in it has a plant's colour
UNREADABLE: Decision = "unreadable"  # not a usable picture; `problem` says why


@dataclass(frozen=True)
class Thresholds:
    """The lines between the verdicts; chosen on validation and kept in `leaf.json`.

    confidence: below it a second photo is asked for (the reference's 0.6).
    advice_unknown: an unknown score below it may get advice; by_label has lines of single labels,
    chosen by what a wrong word costs there.
    reject_unknown: an unknown score from it on means none of the labels.
    no_leaf_fraction: a photo without advice and with less plant colour than this shows no leaf.
    """

    confidence: float
    advice_unknown: float
    reject_unknown: float
    no_leaf_fraction: float
    by_label: Mapping[str, float] = field(default_factory=dict)

    def advice_line(self, label: str) -> float:
        """The unknown score below which this label may be advised."""
        return self.by_label.get(label, self.advice_unknown)


@dataclass(frozen=True)
class Verdict:
    """The judgement of one photo, or of several of one case.

    label: the best of `labels`, None only when unreadable. confidence: its calibrated probability,
    given that it is one of them. probabilities: of all of them, in their order. unknown_score:
    probability that it is none of them. plant_fraction: share of plant-coloured pixels. quality:
    names of what is wrong with the photo. model: version of the model that judged. problem: code
    of the PictureError. labels: those of that model; empty when unreadable. nearest: what beside
    the labels it is more likely than any other single thing, for a person to know.
    """

    label: str | None
    confidence: float
    probabilities: tuple[float, ...]
    verdict: Decision
    unknown_score: float
    plant_fraction: float
    quality: tuple[str, ...]
    rationale: str
    latency_ms: float
    model: str
    problem: str | None = None
    photos: int = 1
    labels: tuple[str, ...] = LABELS
    nearest: str | None = None

    @cached_property
    def top3(self) -> list[tuple[str, float]]:
        """The three most probable labels with their probabilities, best first."""
        ranked = sorted(
            zip(self.labels, self.probabilities, strict=True), key=lambda pair: -pair[1]
        )
        return ranked[:3]

    def to_detail(self) -> dict[str, Any]:
        """As it is stored: plain values, from which `from_detail` makes an equal verdict."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_detail(cls, detail: Mapping[str, Any]) -> Verdict:
        """From what is stored. Raises ValueError when that is not a verdict."""
        try:
            fields = dict(detail)
            for name in ("probabilities", "quality"):
                fields[name] = tuple(fields[name])
            fields["labels"] = labels_of(fields)
            verdict = cls(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no stored verdict: {error}") from error
        if len(verdict.labels) != len(verdict.probabilities):
            raise ValueError("this is no stored verdict: its labels are not its probabilities'")
        return verdict


class MixedModels(ValueError):
    """Verdicts of different models, whose numbers mean different things."""


def labels_of(detail: Mapping[str, Any]) -> tuple[str, ...]:
    """The labels of a stored verdict. One that says none is of the time of the first five."""
    if "labels" in detail:
        return tuple(detail["labels"])
    return FIRST_LABELS if detail.get("probabilities") else ()


def decide(
    label: str,
    confidence: float,
    unknown_score: float,
    plant_fraction: float,
    thresholds: Thresholds,
) -> Decision:
    """The verdict on a readable photo or case whose best label is `label`."""
    line = min(thresholds.reject_unknown, thresholds.advice_line(label))
    if unknown_score < line and confidence >= thresholds.confidence:
        return ADVICE
    if plant_fraction < thresholds.no_leaf_fraction:
        return NO_LEAF
    return UNKNOWN if unknown_score >= thresholds.reject_unknown else SECOND_PHOTO


def unreadable(problem: str, sentence: str, model: str, latency_ms: float = 0.0) -> Verdict:
    """The verdict on bytes that are not a usable picture."""
    return Verdict(
        label=None,
        confidence=0.0,
        probabilities=(),
        verdict=UNREADABLE,
        unknown_score=1.0,
        plant_fraction=0.0,
        quality=(),
        rationale=sentence,
        latency_ms=latency_ms,
        model=model,
        problem=problem,
        labels=(),
    )


def combine(verdicts: Sequence[Verdict], thresholds: Thresholds) -> Verdict:
    """One verdict on all photos of a case, from their stored verdicts.

    Unreadable photos count for nothing unless all are. Probabilities are the mean of the photos'
    log-probabilities, normalised again; the unknown score is the mean in log-odds, so that one
    clear photo weighs more than one vague one.

    Raises:
        ValueError: without a verdict.
        MixedModels: the readable photos were judged by more than one model.
    """
    if not verdicts:
        raise ValueError("a case without photos has no verdict")
    readable = [v for v in verdicts if v.verdict != UNREADABLE]
    if len(readable) < 2:
        return replace((readable or list(verdicts))[-1], photos=len(verdicts))
    if len({(v.model, v.labels) for v in readable}) > 1:
        raise MixedModels("photos judged by different models cannot be judged together")
    labels = readable[-1].labels
    logs = [
        sum(math.log(max(v.probabilities[i], 1e-6)) for v in readable) / len(readable)
        for i in range(len(labels))
    ]
    total = sum(math.exp(value) for value in logs)
    probabilities = tuple(math.exp(value) / total for value in logs)
    best = max(range(len(labels)), key=probabilities.__getitem__)
    unknown = _sigmoid(sum(_log_odds(v.unknown_score) for v in readable) / len(readable))
    plant = max(v.plant_fraction for v in readable)
    clearest = max(readable, key=lambda v: v.probabilities[best])
    return Verdict(
        label=labels[best],
        confidence=probabilities[best],
        probabilities=probabilities,
        verdict=decide(labels[best], probabilities[best], unknown, plant, thresholds),
        unknown_score=unknown,
        plant_fraction=plant,
        quality=tuple(sorted(set.intersection(*(set(v.quality) for v in readable)))),
        rationale=f"{len(readable)} photos together; clearest: {clearest.rationale}",
        latency_ms=sum(v.latency_ms for v in verdicts),
        model=readable[-1].model,
        photos=len(verdicts),
        labels=labels,
        nearest=readable[-1].nearest if len({v.nearest for v in readable}) == 1 else None,
    )


def reference_json(verdict: Verdict, *, all_labels: bool = False) -> dict[str, Any]:
    """The answer of `/api/predict` and `leafline predict --json`: the reference service's shape,
    with `verdict`, `quality` and, for an unreadable photo, `problem` added; with all labels also
    `nearest`."""
    answer: dict[str, Any] = {
        "label": verdict.label,
        "confidence": round(verdict.confidence, 4),
        "top3": [{"label": name, "confidence": round(p, 4)} for name, p in verdict.top3],
        "latency_ms": round(verdict.latency_ms, 2),
        "rationale": verdict.rationale,
        "verdict": verdict.verdict,
        "unknown_score": round(verdict.unknown_score, 4),
        "quality": list(verdict.quality),
        "model": verdict.model,
    }
    if all_labels:
        answer["nearest"] = verdict.nearest
    if verdict.problem:
        answer["problem"] = verdict.problem
    if verdict.verdict != UNREADABLE and verdict.confidence < 0.6:
        answer["escalation"] = "second_photo_different_angle"
    return answer


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-6), 1 - 1e-6)
    return math.log(p / (1 - p))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
