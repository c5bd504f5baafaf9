"""How far chance moves a figure, against cases that can be worked out."""

import math
from pathlib import Path

import numpy as np
import pytest

from training.chance import honest_error, interval
from training.data import Photo


def photos(groups: int, each: int, kind: str = "maize_rust") -> list[Photo]:
    return [
        Photo(Path(f"{kind}{g}_{i}.jpg"), kind, "leaves", f"g{g}", "test")
        for g in range(groups)
        for i in range(each)
    ]


def width(rows: list[Photo], right: np.ndarray) -> float:
    low, high = interval(rows, lambda drawn: float(right[drawn].mean()))
    assert low <= right.mean() <= high
    return high - low


def test_interval_of_independent_photos_is_the_binomial_one() -> None:
    right = np.arange(200) % 10 > 0
    expected = 2 * 1.96 * math.sqrt(0.9 * 0.1 / 200)
    assert width(photos(200, 1), right) == pytest.approx(expected, rel=0.15)


def test_photos_of_one_group_count_once() -> None:
    right = np.repeat(np.arange(20) % 10 > 0, 10)
    alone = width(photos(200, 1), right)
    assert width(photos(20, 10), right) == pytest.approx(alone * math.sqrt(10), rel=0.25)


def test_every_kind_is_drawn_as_often_as_it_is_there() -> None:
    rows = photos(30, 1, "bean_spot") + photos(10, 1)
    share = interval(rows, lambda drawn: float((drawn < 30).mean()))
    assert share == (0.75, 0.75)


def test_an_honest_model_shows_an_error_on_few_photos_and_none_on_many() -> None:
    few = honest_error(np.full(20, 0.8))
    assert few["mean"] == pytest.approx(math.sqrt(0.8 * 0.2 / 20 * 2 / math.pi), rel=0.1)
    assert few["mean"] < few["high"]
    assert honest_error(np.full(20_000, 0.8))["mean"] < 0.005


def test_of_no_photos_there_is_no_figure() -> None:
    assert all(map(math.isnan, interval([], lambda drawn: 0.0)))
    assert math.isnan(honest_error(np.array([]))["mean"])
