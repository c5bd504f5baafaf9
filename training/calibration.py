"""From logits to honest probabilities and thresholds; numpy only, validation only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def softmax(logits: Array) -> Array:
    """Along the last axis."""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    out: Array = e / e.sum(axis=-1, keepdims=True)
    return out


def fit_temperature(logits: Array, targets: NDArray[np.int64], weights: Array) -> float:
    """The temperature of least weighted cross-entropy (Guo et al. 2017), by a fine grid.

    logits: (n, classes) of photos that do show one of the classes; targets: (n,).
    """
    grid = np.exp(np.linspace(np.log(0.2), np.log(5), 321))
    rows = np.arange(len(targets))
    losses = [-(weights * np.log(softmax(logits / t)[rows, targets] + 1e-12)).sum() for t in grid]
    return float(grid[int(np.argmin(losses))])


def expected_calibration_error(
    confidence: Array, right: NDArray[np.bool_], bins: int = 15
) -> float:
    """Mean |accuracy - confidence| over equal-width bins, weighted by their size; nan of none."""
    if not len(confidence):
        return float("nan")
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(right[which == b].mean() - confidence[which == b].mean()) * (which == b).mean()
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def auroc(negative: Array, positive: Array) -> float:
    """Probability that a positive scores above a negative; ties count half."""
    if not len(negative) or not len(positive):
        return float("nan")
    order = np.sort(negative)
    below = np.searchsorted(order, positive, "left")
    equal = np.searchsorted(order, positive, "right") - below
    return float((below + equal / 2).mean() / len(negative))


def macro_f1(targets: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> float:
    """Mean F1 of the classes that occur."""
    scores = []
    for c in range(classes):
        hit = ((targets == c) & (predicted == c)).sum()
        wrong = ((targets == c) ^ (predicted == c)).sum()
        if (targets == c).any():
            scores.append(2 * hit / (2 * hit + wrong))
    return float(np.mean(scores))


def confusion(
    targets: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """Rows are true classes, columns predicted ones."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (targets, predicted), 1)
    return table
