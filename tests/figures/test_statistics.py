"""The statistics, against values worked out by hand or by the definition."""

from __future__ import annotations

import math

import pytest

from gateway.figures import statistics

QUIET = [2, 3, 2, 1, 2, 3, 1]


@pytest.mark.parametrize(
    ("counts", "expected", "upper"),
    [
        # mean 2, sample variance 4/6
        pytest.param([*QUIET, 2, 2, 9], 2.0, 2.0 + 3.0, id="spread below the least one"),
        pytest.param([0] * 9 + [5], 0.0, 3.0, id="nothing for weeks"),
        # mean 4, sample variance (16 + 0 + 16 + 0 + 16 + 0 + 16) / 6
        pytest.param(
            [0, 4, 8, 4, 0, 4, 8, 4, 4, 4], 4.0, 4.0 + 3 * math.sqrt(64 / 6), id="own spread"
        ),
        pytest.param([99, 99, *QUIET, 50, 60, 9], 2.0, 5.0, id="neither older nor newest count"),
    ],
)
def test_c2_limit(counts: list[int], expected: float, upper: float) -> None:
    limit = statistics.ears_c2(counts)
    assert limit is not None
    assert limit.expected == pytest.approx(expected)
    assert limit.upper == pytest.approx(upper)


@pytest.mark.parametrize("counts", [[], [1] * 9])
def test_c2_needs_a_past(counts: list[int]) -> None:
    assert statistics.ears_c2(counts) is None


@pytest.mark.parametrize(
    ("counts", "warns"),
    [
        pytest.param([*QUIET, 2, 2, 5], False, id="on the limit"),
        pytest.param([*QUIET, 2, 2, 6], True, id="above the limit"),
        pytest.param([*QUIET, 6, 8, 12], True, id="a rise that began two weeks ago still warns"),
        pytest.param([0] * 9 + [3], False, id="three cases may be one field"),
        pytest.param([0] * 9 + [4], True, id="four after nothing"),
        pytest.param([30, 34, 28, 31, 35, 29, 30, 33, 31, 36], False, id="busy, as ever"),
        pytest.param([9, 9, 9, 9, 9, 9, 9, 9, 9, 0], False, id="falling"),
        pytest.param([1, 2, 40], False, id="too short"),
    ],
)
def test_rising(counts: list[int], warns: bool) -> None:
    rises = statistics.rising({("rwamagana", "maize_rust"): counts})
    assert [(r.district, r.label, r.count) for r in rises] == (
        [("rwamagana", "maize_rust", counts[-1])] if warns else []
    )


def test_the_farthest_above_its_limit_comes_first() -> None:
    rises = statistics.rising(
        {
            ("a", "maize_rust"): [*QUIET, 2, 2, 7],
            ("b", "bean_spot"): [*QUIET, 2, 2, 20],
            ("c", "bean_spot"): [*QUIET, 2, 2, 2],
        }
    )
    assert [rise.district for rise in rises] == ["b", "a"]


def test_psi_of_like_shapes_is_nothing_whatever_their_size() -> None:
    assert statistics.psi([100, 200, 300], [1000, 2000, 3000]) == pytest.approx(0, abs=1e-4)


def test_psi_by_its_definition() -> None:
    p, q = [100.5 / 201, 100.5 / 201], [150.5 / 201, 50.5 / 201]
    by_hand = sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))
    assert statistics.psi([100, 100], [150, 50]) == pytest.approx(by_hand)
    assert statistics.psi([150, 50], [100, 100]) == pytest.approx(by_hand)


def test_psi_of_an_emptied_bin_is_finite() -> None:
    assert 0.25 < statistics.psi([100, 100], [200, 0]) < math.inf


def test_psi_refuses_other_bins() -> None:
    with pytest.raises(ValueError, match="zip"):
        statistics.psi([1, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("reference", "current", "verdict"),
    [
        ([500, 500], [250, 250], "stable"),
        ([500, 500], [170, 330], "watch"),
        ([500, 500], [100, 400], "alarm"),
        ([50, 49], [1, 400], "too_few"),
        ([500, 500], [1, 98], "too_few"),
    ],
)
def test_drift(reference: list[int], current: list[int], verdict: str) -> None:
    assert statistics.drift(reference, current)[1] == verdict


def test_share() -> None:
    assert statistics.share(0, 0) is None
    assert statistics.share(3, 4) == 0.75


def test_series_is_oldest_first_and_adds_up() -> None:
    counted = statistics.series([(0, 5), (2, 1), (0, 1), (3, 9), (-1, 9)], periods=3)
    assert counted == [1, 0, 6]
