"""How far chance alone moves a figure: there are only so many test photos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from training.calibration import Array, expected_calibration_error
from training.data import Photo

Rows = NDArray[np.int64]

DRAWS = 1000
INTERVAL = (0.025, 0.975)


def interval(photos: Sequence[Photo], figure: Callable[[Rows], float]) -> tuple[float, float]:
    """Between which values 95 % of `figure` lie when the photos are drawn again.

    A bootstrap over whole groups (photos of one plant go wrong together), within each kind.
    figure: of the drawn rows (n,), positions in `photos`. (nan, nan) of no photos.
    """
    if not photos:
        return float("nan"), float("nan")
    drawn = [figure(rows) for rows in _resamples(photos, np.random.default_rng(13))]
    low, high = np.quantile(drawn, INTERVAL)
    return float(low), float(high)


def _resamples(photos: Sequence[Photo], rng: np.random.Generator) -> Iterator[Rows]:
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, photo in enumerate(photos):
        members[photo.kind, photo.group].append(i)
    kinds: dict[str, list[list[int]]] = defaultdict(list)
    for (kind, _), rows in members.items():
        kinds[kind].append(rows)
    for _ in range(DRAWS):
        yield np.concatenate(
            [
                groups[k]
                for groups in kinds.values()
                for k in rng.integers(len(groups), size=len(groups))
            ]
        )


def honest_error(confidence: Array) -> dict[str, float]:
    """The calibration error that a perfectly calibrated model with these confidences would show:
    its mean, and what one in twenty such models would exceed. Not 0, because photos are few.

    confidence: (n,); nan of none.
    """
    if not len(confidence):
        return {"mean": float("nan"), "high": float("nan")}
    rng = np.random.default_rng(17)
    errors = [
        expected_calibration_error(confidence, rng.random(len(confidence)) < confidence)
        for _ in range(DRAWS)
    ]
    return {"mean": float(np.mean(errors)), "high": float(np.quantile(errors, 0.95))}
