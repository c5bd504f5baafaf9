"""What farmers hear in the end: one photo, and a second where the first was not clear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.labels import LABELS
from inference.verdict import ADVICE, SECOND_PHOTO, Thresholds, Verdict, combine
from training.chance import interval
from training.costs import PREVALENCE, crop_of, group_of
from training.data import Photo

DRAWS = 4
"""Second photos drawn for each first that asks for one."""


def told(verdict: Verdict, kind: str, *, typed: bool) -> str | None:
    """The label that a farmer is told; None when she is told none. Where the crop was typed, a
    label of another crop goes to an officer."""
    if verdict.verdict != ADVICE or verdict.label is None:
        return None
    crop = crop_of(kind)
    if typed and crop is not None and crop_of(verdict.label) != crop:
        return None
    return verdict.label


def shares(
    photos: Sequence[Photo], verdicts: Sequence[Verdict], thresholds: Thresholds, *, two: bool
) -> NDArray[np.float64]:
    """(n, 2): share of rightly and of wrongly advised outcomes of each photo, crops typed."""
    rng = np.random.default_rng(3)
    by_kind: dict[str, list[int]] = {}
    for number, photo in enumerate(photos):
        by_kind.setdefault(photo.kind, []).append(number)
    out = np.zeros((len(photos), 2))
    for number, (photo, verdict) in enumerate(zip(photos, verdicts, strict=True)):
        others = [n for n in by_kind[photo.kind] if n != number]
        if two and verdict.verdict == SECOND_PHOTO and others:
            ends = [
                combine([verdict, verdicts[int(n)]], thresholds) for n in rng.choice(others, DRAWS)
            ]
        else:
            ends = [verdict]
        for end in ends:
            label = told(end, photo.kind, typed=True)
            if label is not None:
                right = photo.target < len(LABELS) and label == LABELS[photo.target]
                out[number, 0 if right else 1] += 1 / len(ends)
    return out


def figures(
    photos: Sequence[Photo], verdicts: Sequence[Verdict], thresholds: Thresholds
) -> dict[str, Any]:
    """Right and wrong advice by group and in a mixture of `PREVALENCE`, for one and two photos."""
    groups = np.array([group_of(p.kind, p.target < len(LABELS)) for p in photos])
    out: dict[str, Any] = {}
    for name, two in (("one_photo", False), ("two_photos", True)):
        of_each = shares(photos, verdicts, thresholds, two=two)

        def mixed(rows: NDArray[np.int64], column: int, of_each: NDArray[Any] = of_each) -> float:
            total = 0.0
            for group, prevalence in PREVALENCE.items():
                mine = rows[groups[rows] == group]
                total += prevalence * (float(of_each[mine, column].mean()) if len(mine) else 0.0)
            return 100 * total

        everybody = np.arange(len(photos))
        low, high = interval(photos, lambda rows: mixed(rows, 1))
        out[name] = {
            "wrong_of_100": mixed(everybody, 1),
            "wrong_of_100_low": low,
            "wrong_of_100_high": high,
            "right_of_100": mixed(everybody, 0),
            "by_group": {
                group: {
                    "photos": int((groups == group).sum()),
                    "right": float(of_each[groups == group, 0].mean()),
                    "wrong": float(of_each[groups == group, 1].mean()),
                }
                for group in PREVALENCE
                if (groups == group).any()
            },
        }
    return out
