"""The report's figures, drawn with matplotlib; each function returns a finished Figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inference.labels import LABELS
from training.calibration import auroc
from training.evaluate import Answers, CurvePoint

INK, SECOND, PALE = "#2f5d3a", "#b4541a", "#c9d6c4"


def confusion_matrix(table: Sequence[Sequence[int]], title: str) -> Figure:
    """Rows true, columns predicted; counts written in."""
    counts = np.array(table)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _sheet(title, 5, 4.6)
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=1)
    axes.set_xticks(range(len(LABELS)), LABELS, rotation=40, ha="right")
    axes.set_yticks(range(len(LABELS)), LABELS)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    for (row, column), count in np.ndenumerate(counts):
        dark = shares[row, column] > 0.5
        axes.text(column, row, str(count), ha="center", va="center", color="w" if dark else "k")
    return figure


def reliability(groups: dict[str, Answers]) -> Figure:
    """Accuracy against confidence, ten bins of equal width."""
    figure, axes = _sheet("Reliability: how often right at which confidence", 5, 4.4)
    axes.plot([0.2, 1], [0.2, 1], color=PALE, linewidth=3)
    for (name, answers), colour in zip(groups.items(), (INK, SECOND, "k"), strict=False):
        bins = np.clip((answers.confidence * 10).astype(int), 0, 9)
        used = [b for b in range(10) if (bins == b).sum() >= 3]
        axes.plot(
            [answers.confidence[bins == b].mean() for b in used],
            [answers.right[bins == b].mean() for b in used],
            "o-",
            color=colour,
            label=name,
        )
    axes.set_xlabel("confidence")
    axes.set_ylabel("share right")
    axes.legend()
    return figure


def risk_coverage(groups: dict[str, Answers]) -> Figure:
    """Share of wrong labels among the photos answered, surest first."""
    figure, axes = _sheet("Risk and coverage", 5, 4.4)
    for (name, answers), colour in zip(groups.items(), (INK, SECOND, "k"), strict=False):
        order = np.argsort(-answers.confidence)
        wrong = np.cumsum(~answers.right[order]) / np.arange(1, len(order) + 1)
        axes.plot(np.arange(1, len(order) + 1) / len(order), wrong, color=colour, label=name)
    axes.set_xlabel("coverage: share of photos answered")
    axes.set_ylabel("risk: share of answers wrong")
    axes.legend()
    return figure


def unknown_roc(known: Answers, field: Answers, other: Answers) -> Figure:
    """Strangers caught against leaves refused, for each kind of stranger."""
    figure, axes = _sheet("Telling strangers apart, by kind", 7.4, 5)
    negative = np.concatenate([known.unknown, field.unknown])
    lines = np.sort(np.concatenate([negative, other.unknown]))[::-1]
    for kind in sorted(set(other.kinds().tolist())):
        positive = other.unknown[other.kinds() == kind]
        refused = [(negative >= line).mean() for line in lines]
        caught = [(positive >= line).mean() for line in lines]
        label = f"{kind} ({len(positive)}): {auroc(negative, positive):.3f}"
        axes.plot(refused, caught, linewidth=1.2, label=label)
    axes.set_xlim(0, 0.4)
    axes.set_xlabel("share of the five refused")
    axes.set_ylabel("share of strangers caught")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def threshold_curve(curve: Sequence[CurvePoint], chosen: float) -> Figure:
    """What validation showed for each threshold of the unknown score, and the one chosen."""
    figure, axes = _sheet("The advice threshold, on validation photos", 5, 4.4)
    points = np.array(curve)
    for column, (name, colour) in enumerate(
        (("strangers", SECOND), ("leaves", INK), ("field", "k")), start=1
    ):
        axes.plot(points[:, 0], points[:, column], color=colour, label=f"{name} given advice")
    axes.axvline(chosen, color=PALE, linewidth=3)
    axes.set_xlabel("unknown score below which advice may be given")
    axes.legend()
    return figure


def _sheet(title: str, width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
