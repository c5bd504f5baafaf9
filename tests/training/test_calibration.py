"""Metrics against cases that can be worked out by hand."""

import math

import numpy as np
import pytest

from training.calibration import (
    auroc,
    confusion,
    expected_calibration_error,
    fit_temperature,
    macro_f1,
    softmax,
)
from training.evaluate import CurvePoint, advice_threshold


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (20_000, 5))
    targets = np.array([rng.choice(5, p=p) for p in softmax(honest)])
    found = fit_temperature(honest * 2.5, targets, np.ones(len(targets)))
    assert found == pytest.approx(2.5, rel=0.05)


def test_calibration_error() -> None:
    confidence = np.array([0.9] * 10 + [0.5] * 10)
    right = np.array([True] * 9 + [False] + [True] * 10)
    assert expected_calibration_error(confidence, right) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("negative", "positive", "value"),
    [([0, 1], [2, 3], 1.0), ([2, 3], [0, 1], 0.0), ([1, 1], [1, 1], 0.5), ([0, 2], [1, 3], 0.75)],
)
def test_auroc(negative: list[float], positive: list[float], value: float) -> None:
    assert auroc(np.array(negative, float), np.array(positive, float)) == value


def test_auroc_of_nothing_is_no_number() -> None:
    assert math.isnan(auroc(np.array([]), np.array([1.0])))


def test_macro_f1_and_confusion() -> None:
    targets, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    assert macro_f1(targets, predicted, 3) == pytest.approx((2 / 3 + 0.8) / 2)
    assert confusion(targets, predicted, 2).tolist() == [[1, 1], [0, 2]]


@pytest.mark.parametrize(
    ("curve", "threshold"),
    [
        ([(0.1, 0.05, 0.9, 0), (0.2, 0.1, 0.97, 0), (0.3, 0.12, 0.98, 0), (0.4, 0.15, 0.99, 0),
          (0.5, 0.2, 1, 0)], 0.3),
        ([(0.1, 0.05, 0.5, 0), (0.2, 0.15, 0.9, 0), (0.3, 0.2, 0.99, 0)], 0.2),
        ([(0.1, 0.5, 0.99, 0), (0.2, 0.6, 1, 0)], 0.1),
    ],
    ids=["the middle of what bears both", "strangers decide", "none is bearable"],
)  # fmt: skip
def test_the_advice_threshold(curve: list[CurvePoint], threshold: float) -> None:
    assert advice_threshold(curve) == threshold
