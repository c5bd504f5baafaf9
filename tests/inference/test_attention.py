"""Grad-CAM in numpy: exact, quick, and its words."""

import io

import numpy as np
import pytest
from PIL import Image

from inference.attention import Head, coverage, place, rationale
from inference.drawn import draw_leaf
from inference.heatmap import heatmap
from inference.model import Model

RNG = np.random.default_rng(0)
HEAD = Head(
    RNG.normal(size=(12, 8)).astype(np.float32),
    RNG.normal(size=(3, 12)).astype(np.float32),
)
BIAS = RNG.normal(size=12).astype(np.float32)


def hidden(features: np.ndarray) -> np.ndarray:
    return np.maximum(HEAD.w1 @ features.mean(axis=(1, 2)) + BIAS, 0)


def logit(features: np.ndarray, target: int) -> float:
    return float(HEAD.w2[target] @ hidden(features))


@pytest.mark.parametrize("target", range(3))
def test_grad_cam_is_the_numeric_gradient(target: int) -> None:
    features = RNG.random((8, 3, 4)).astype(np.float32)
    step = 1e-2
    alpha = []
    for channel in range(8):
        more, less = features.copy(), features.copy()
        more[channel, 1, 2] += step
        less[channel, 1, 2] -= step
        alpha.append((logit(more, target) - logit(less, target)) / (2 * step))
    expected = np.maximum(np.tensordot(np.array(alpha), features, 1), 0)
    assert np.allclose(HEAD.grad_cam(features, hidden(features), target), expected, atol=1e-4)


def at(row: int, column: int) -> np.ndarray:
    cam = np.zeros((6, 6), np.float32)
    cam[row, column] = 1
    return cam


@pytest.mark.parametrize(
    ("cam", "words"),
    [
        (at(0, 0), "upper-left"),
        (at(5, 5), "lower-right"),
        (at(0, 3) + at(0, 2), "upper"),
        (at(2, 5) + at(3, 5), "right"),
        (np.ones((6, 6), np.float32), "centre"),
        (np.zeros((6, 6), np.float32), "nowhere in particular"),
    ],
)
def test_place(cam: np.ndarray, words: str) -> None:
    assert place(cam) == words


def test_coverage_counts_leaf_only() -> None:
    left = np.zeros((96, 96), bool)
    left[:, :48] = True
    hot_left = np.zeros((6, 6), np.float32)
    hot_left[:3, :3] = 1
    assert coverage(hot_left, left) == pytest.approx(0.5)
    assert coverage(hot_left, np.zeros((96, 96), bool)) == pytest.approx(0.25)


def test_rationale_reads_like_the_reference() -> None:
    words = rationale(
        at(0, 0), np.ones((96, 96), bool), ("dark",), [("maize_rust", 0.65), ("healthy", 0.34)]
    )
    assert words == (
        "attention upper-left, covers 3 % of leaf; photo dark; next healthy, top-2 margin 0.31"
    )


def test_the_heat_map_is_a_picture_of_the_photo(model: Model) -> None:
    with Image.open(io.BytesIO(model.heatmap(draw_leaf("maize_rust")))) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (448, 448)


def test_a_map_of_nothing_leaves_the_photo_as_it_is() -> None:
    photo = draw_leaf("healthy")
    with Image.open(io.BytesIO(heatmap(photo, np.zeros((6, 6), np.float32), 128))) as picture:
        pixels = np.asarray(picture, np.float32)
    with Image.open(io.BytesIO(photo)) as original:
        assert abs(pixels.mean() - np.asarray(original, np.float32).mean()) < 3
