"""Lines that cost least, and what farmers hear in the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.labels import LABELS
from inference.verdict import Thresholds, Verdict, decide
from training import costs, flow
from training.data import Photo

LINES = Thresholds(0.6, 0.5, 0.9, 0.1)
MOSAIC, RUST = LABELS.index("cassava_mosaic"), LABELS.index("maize_rust")


def _line(label: int, kinds: list[str], targets: list[int], unknown: list[float]) -> float:
    count = len(kinds)
    found = costs.lines(
        np.array(kinds), np.array(targets), np.full(count, label), np.ones(count, bool),
        np.array(unknown), np.ones(count),
    )  # fmt: skip
    return found[LABELS[label]]


def test_a_line_lies_between_what_is_right_and_what_is_wrong() -> None:
    line = _line(RUST, ["maize_rust", "maize_gls"], [RUST, 5], [0.1, 0.3])
    assert 0.1 < line <= 0.3


def test_a_costly_word_is_held_back_where_a_harmless_one_is_not() -> None:
    """A tenth of the neighbours lies among leaves that are right."""

    def line(label: int, own: str, neighbour: str) -> float:
        return _line(label, [own] * 30 + [neighbour] * 20, [label] * 30 + [5] * 20,
                     [0.05] * 24 + [0.2] * 6 + [0.1] * 2 + [0.8] * 18)  # fmt: skip

    assert line(RUST, "maize_rust", "maize_gls") > 0.2
    assert line(MOSAIC, "cassava_mosaic", "cassava_cgm") <= 0.1


def test_four_in_five_of_a_label_are_answered_whatever_it_costs() -> None:
    kinds = ["cassava_mosaic"] * 10 + ["cassava_cgm"] * 10
    known = [0.1] * 7 + [0.3] + [0.6] * 2
    line = _line(MOSAIC, kinds, [MOSAIC] * 10 + [9] * 10, known + [0.05] * 10)
    assert 0.3 < line <= 0.31


def test_a_neighbour_of_another_crop_has_no_say() -> None:
    """The crop was typed: a label of another crop goes to a person wherever the line lies."""
    with_bean = _line(RUST, ["maize_rust", "bean_rust"], [RUST, 5], [0.3, 0.05])
    assert with_bean > 0.3


@pytest.mark.parametrize(
    ("kind", "crop", "group"),
    [
        ("healthy", "maize", "known"), ("bean_spot", "bean", "known"),
        ("cassava_cgm", "cassava", "neighbours"), ("banana_healthy", None, "foreign"),
        ("nonleaf", None, "objects"),
    ],
)  # fmt: skip
def test_what_a_kind_is(kind: str, crop: str | None, group: str) -> None:
    assert costs.crop_of(kind) == crop
    assert costs.group_of(kind, kind in LABELS) == group


def _photo(kind: str, number: int) -> Photo:
    pool = "leaves" if kind in LABELS else "other"
    return Photo(Path(f"{kind}{number}"), kind, pool, f"{kind}{number}", "test")


def _verdict(label: str, unknown: float) -> Verdict:
    sure = tuple(0.96 if name == label else 0.01 for name in LABELS)
    return Verdict(
        label=label, confidence=0.96, probabilities=sure,
        verdict=decide(label, 0.96, unknown, 0.5, LINES), unknown_score=unknown,
        plant_fraction=0.5, quality=(), rationale="", latency_ms=0.0, model="m",
    )  # fmt: skip


def test_a_second_photo_helps_whoever_was_not_clear_at_first() -> None:
    photos = [_photo("maize_rust", 1), _photo("maize_rust", 2), _photo("maize_gls", 1)]
    said = [_verdict("maize_rust", 0.55), _verdict("maize_rust", 0.1), _verdict("maize_rust", 0.3)]
    one = flow.shares(photos, said, LINES, two=False)
    two = flow.shares(photos, said, LINES, two=True)
    assert one.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert two.tolist() == [[1, 0], [1, 0], [0, 1]]


def test_what_is_told_under_another_crop_than_was_typed_is_told_by_a_person() -> None:
    verdict = _verdict("maize_rust", 0.1)
    assert flow.told(verdict, "bean_rust", typed=True) is None
    assert flow.told(verdict, "bean_rust", typed=False) == "maize_rust"
    assert flow.told(verdict, "banana_healthy", typed=True) == "maize_rust"
