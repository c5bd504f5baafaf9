"""Where the model looked: exact Grad-CAM through the head in numpy, and its sentence.

The head is average pooling, Linear, ReLU, Linear, so the gradient of a logit with respect to the
feature map is the same at every place and has a closed form (Selvaraju et al. 2017, eq. 1): no
autograd, no torch. Through an INT8 head the formula is exact for the dequantised weights and for
what the graph gives out, its features and which hidden units are active.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

PLANT_CELL = 0.3  # a cell of the map counts as leaf from this share of plant-coloured pixels
HOT = 0.5  # of the strongest cell


@dataclass(frozen=True)
class Head:
    """Weights of the head: w1 (hidden, channels), w2 (classes, hidden)."""

    w1: Array
    w2: Array

    def grad_cam(self, features: Array, hidden: Array, target: int) -> Array:
        """Grad-CAM of one logit. features: (channels, rows, columns); hidden: (hidden,), the first
        layer after ReLU. Returns (rows, columns), not negative, not normalised."""
        channels, rows, columns = features.shape
        flat = features.reshape(channels, -1)
        active = np.flatnonzero(hidden > 0)  # a fifth of them: only those rows are read
        alpha = self.w2[target, active] @ self.w1[active] / (rows * columns)
        cam: Array = np.maximum(alpha @ flat, 0).reshape(rows, columns)
        return cam


def place(cam: Array) -> str:
    """The centre of a map's weight in words, such as "upper-left"."""
    total = float(cam.sum())
    if total <= 0:
        return "nowhere in particular"
    rows, columns = cam.shape
    y = float((cam.sum(axis=1) * np.arange(rows)).sum()) / total / max(rows - 1, 1)
    x = float((cam.sum(axis=0) * np.arange(columns)).sum()) / total / max(columns - 1, 1)
    vertical = "upper" if y < 0.42 else "lower" if y > 0.58 else ""
    horizontal = "left" if x < 0.42 else "right" if x > 0.58 else ""
    return "-".join(part for part in (vertical, horizontal) if part) or "centre"


def coverage(cam: Array, plant_mask: NDArray[np.bool_]) -> float:
    """Share of the leaf's cells that are hot; of all cells when no plant colour is seen."""
    rows, columns = cam.shape
    height, width = (plant_mask.shape[0] // rows) * rows, (plant_mask.shape[1] // columns) * columns
    cells = plant_mask[:height, :width].reshape(rows, height // rows, columns, -1)
    leaf = cells.mean(axis=(1, 3)) >= PLANT_CELL
    if not leaf.any():
        leaf = np.ones_like(leaf)
    peak = float(cam.max())
    return float((cam[leaf] >= HOT * peak).mean()) if peak > 0 else 0.0


def rationale(
    cam: Array,
    plant_mask: NDArray[np.bool_],
    quality: tuple[str, ...],
    top: list[tuple[str, float]],
) -> str:
    """One sentence for the officer: where, how much, what is wrong, how close the second was."""
    parts = [f"attention {place(cam)}, covers {coverage(cam, plant_mask):.0%} of leaf"]
    if quality:
        parts.append("photo " + ", ".join(quality))
    parts.append(f"next {top[1][0]}, top-2 margin {top[0][1] - top[1][1]:.2f}")
    return "; ".join(parts).replace("%", " %")
