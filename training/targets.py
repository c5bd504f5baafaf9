"""What a model has to reach, in one table for export gates, printed results and model card."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A figure, the value it must reach and the one it aims at. A gate keeps a model from being
    installed when the figure misses `must` or was not measured; `read` fails where it was not."""

    name: str
    read: Callable[[Figures], float]
    must: float
    aim: float
    at_most: bool = False
    gate: bool = False

    def value(self, figures: Figures) -> float:
        """The measured figure, nan when it was not measured."""
        try:
            return float(self.read(figures))
        except (KeyError, TypeError):
            return math.nan

    def state(self, figures: Figures) -> str:
        """ "aim", "must", "missed" or "not measured"."""
        value = self.value(figures)
        if math.isnan(value):
            return "not measured"
        for name, bound in (("aim", self.aim), ("must", self.must)):
            if value <= bound if self.at_most else value >= bound:
                return name
        return "missed"


def _speed(name: str) -> Callable[[Figures], float]:
    return lambda figures: figures["speed"][name]["ratio"]


def _two_against_one(figures: Figures) -> float:
    """The worse of two ratios: wrong labels, and refusals."""
    noisy: dict[str, float] = figures["pairs"]["noisy"]
    return max(
        noisy[f"two_{what}"] / max(noisy[f"one_{what}"], 1e-9) for what in ("wrong", "refused")
    )


TARGETS = (
    Target("size of the model file, MB", lambda f: f["bytes"] / 1e6, 1.85, 1.25,
           at_most=True, gate=True),
    Target("Conv and Gemm left in float", lambda f: f["float_layers"], 0, 0,
           at_most=True, gate=True),
    Target("session time, ratio", _speed("session, ms"), 0.72, 0.50, at_most=True),
    Target("JPEG to label, 224 px, ratio", _speed("JPEG to label, 224 px, ms"), 0.60, 0.43,
           at_most=True),
    Target("JPEG to label, 1,024 px, ratio", _speed("JPEG to label, 1,024 px, ms"), 0.45, 0.35,
           at_most=True),
    Target("JPEG to label, 1,600 x 1,200, ratio", _speed("JPEG to label, 1,600 x 1,200, ms"),
           0.36, 0.31, at_most=True),
    Target("JPEG to label, 12 megapixels, ratio", _speed("JPEG to label, 12 megapixels, ms"),
           0.16, 0.14, at_most=True),
    Target("macro-F1 on leaves, clean", lambda f: f["macro_f1_clean"], 0.990, 0.998, gate=True),
    Target("macro-F1 on leaves, field noise", lambda f: f["macro_f1_noisy"], 0.985, 0.995,
           gate=True),
    Target("the same, noise kept out of training",
           lambda f: f["beside"]["without noise"]["macro_f1_noisy"], 0.985, 0.995),
    Target("macro-F1 lost by INT8", lambda f: f["int8"]["f1_drop"], 0.005, 0.001,
           at_most=True, gate=True),
    Target("same label as FP32", lambda f: f["int8"]["agreement"], 0.98, 0.99, gate=True),
    Target("field photos, blight", lambda f: f["field"]["maize_blight"], 0.92, 0.97, gate=True),
    Target("field photos, rust", lambda f: f["field"]["maize_rust"], 0.92, 0.97, gate=True),
    Target("field photos, none in training",
           lambda f: f["beside"]["without field"]["field_pooled"], 0.64, 0.75),
    Target("wrong advice of 100 farmers, two photos",
           lambda f: f["flow"]["two_photos"]["wrong_of_100"], 4.0, 1.5, at_most=True),
    Target("neighbours on our crops given wrong advice, one photo",
           lambda f: f["flow"]["one_photo"]["by_group"]["neighbours"]["wrong"], 0.07, 0.03,
           at_most=True),
    Target("foreign crops given advice, crop unknown",
           lambda f: f["flow"]["one_photo"]["by_group"]["foreign"]["wrong"], 0.05, 0.02,
           at_most=True),
    Target("leaves of the five rightly advised, two photos",
           lambda f: f["flow"]["two_photos"]["by_group"]["known"]["right"], 0.94, 0.97),
    Target("conditions told apart, beans", lambda f: f["told_apart"]["bean"], 0.93, 0.97),
    Target("conditions told apart, maize", lambda f: f["told_apart"]["maize"], 0.93, 0.96),
    Target("conditions told apart, cassava", lambda f: f["told_apart"]["cassava"], 0.75, 0.88),
    Target("AUROC, five against others, all kinds", lambda f: f["auroc_all"], 0.965, 0.985,
           gate=True),
    Target("AUROC, kinds never trained on", lambda f: f["auroc_unseen"], 0.990, 0.997),
    Target("other photos given advice", lambda f: f["others_advised"], 0.10, 0.05,
           at_most=True, gate=True),
    Target("objects given advice", lambda f: f["objects_advised"], 0.02, 0.005,
           at_most=True, gate=True),
    Target("leaves accepted", lambda f: f["leaves_accepted"], 0.95, 0.97),
    Target("field leaves accepted", lambda f: f["field_accepted"], 0.80, 0.90),
    Target("calibration error, leaves", lambda f: f["ece_leaves"], 0.01, 0.005, at_most=True),
    Target("calibration error, field", lambda f: f["ece_field"], 0.05, 0.02, at_most=True),
    Target("rust laid on photos stays rust", lambda f: f["rust_on_photos"], 0.90, 0.95),
    Target("other classes on black stay themselves", lambda f: f["others_on_black"], 0.97, 0.99),
    Target("errors and refusals of two photos, against one", _two_against_one, 1.0, 0.5,
           at_most=True),
    Target("Grad-CAM against autograd, largest difference", lambda f: f["grad_cam"]["difference"],
           1e-4, 2e-5, at_most=True),
    Target("Grad-CAM, ms", lambda f: f["grad_cam"]["ms"], 1.0, 0.5, at_most=True),
)  # fmt: skip


def failed_gates(figures: Figures) -> list[str]:
    """The gates that these figures do not pass, in words."""
    passed = ("must", "aim")
    return [describe(t, figures) for t in TARGETS if t.gate and t.state(figures) not in passed]


def describe(target: Target, figures: Figures) -> str:
    """One line: state, name, value and bounds."""
    sign = "≤" if target.at_most else "≥"
    return (
        f"{target.state(figures):12} {target.name}: {target.value(figures):.4g} "
        f"(must {sign} {target.must:g}, aim {sign} {target.aim:g})"
    )


def table(figures: Figures) -> Iterator[str]:
    """All targets as Markdown rows."""
    yield "| figure | measured | must | aim | |"
    yield "|---|---|---|---|---|"
    for t in TARGETS:
        sign = "≤" if t.at_most else "≥"
        value = t.value(figures)
        shown = "" if math.isnan(value) else f"{value:.4g}"
        yield f"| {t.name} | {shown} | {sign} {t.must:g} | {sign} {t.aim:g} | {t.state(figures)} |"
