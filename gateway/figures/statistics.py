"""Statistics on counts: what rises above its own past, what drifts, what share was in time.

Pure functions on plain numbers; gateway.figures.counts fetches them. Periods are 7 days long and
counted back from the end of today, so that the newest is never half a week.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Literal

BASELINE = 7
"""Periods that the past is judged by."""
LAG = 2
"""Periods between the past and now, so that the beginning of a rise is not taken for the past."""
Z = 3.0
"""Standard deviations above the mean that make a warning."""
LEAST_DEVIATION = 1.0
"""Standard deviation taken at least: a district without cases for weeks has one of 0. The R package
`surveillance` (earsC, minSigma) passes on Burkom's advice of 0.5 or 1 for sparse counts."""
LEAST_COUNT = 4
"""Cases that a warning needs at least. Our own bound: two or three may be one farmer's field."""

WATCH, ALARM = 0.1, 0.25
"""Population stability index from which on a distribution has moved somewhat, and much."""
LEAST_SAMPLE = 100
"""Diagnoses needed on either side of a comparison; with fewer, chance alone moves the index."""

Drift = Literal["too_few", "stable", "watch", "alarm"]


@dataclass(frozen=True)
class Limit:
    """What the past of a series leads one to expect."""

    expected: float
    upper: float


@dataclass(frozen=True)
class Rise:
    """A disease in a district that is above its own past."""

    district: str
    label: str
    count: int
    limit: Limit


def ears_c2(
    counts: Sequence[int],
    *,
    baseline: int = BASELINE,
    lag: int = LAG,
    z: float = Z,
    least_deviation: float = LEAST_DEVIATION,
) -> Limit | None:
    """The C2 limit of the Early Aberration Reporting System for the newest count.

    Mean plus `z` sample standard deviations of `baseline` periods that end `lag` periods before
    the newest. (Hutwagner et al. 2003, J Urban Health 80, i89-i96; Fricker, Hegler and Dunfee 2008,
    Statistics in Medicine 27, 3407-3429.) EARS counts days; weeks are used here, since a district
    sends too few photos a day. C2 knows no seasons: the start of each season may warn.

    Args:
        counts: a period each, oldest first, the newest last.

    Returns:
        None when the series is too short.
    """
    if baseline < 2 or len(counts) < baseline + lag + 1:
        return None
    newest = len(counts) - 1
    past = counts[newest - lag - baseline : newest - lag]
    mean = fmean(past)
    return Limit(mean, mean + z * max(stdev(past), least_deviation))


def rising(series: Mapping[tuple[str, str], Sequence[int]]) -> list[Rise]:
    """Which series are above their own limit now, the farthest above first.

    Args:
        series: counts by (district, label), oldest period first.
    """
    found = []
    for (district, label), counts in series.items():
        limit = ears_c2(counts)
        if limit and counts[-1] >= LEAST_COUNT and counts[-1] > limit.upper:
            found.append(Rise(district, label, counts[-1], limit))
    return sorted(found, key=lambda rise: (rise.limit.upper - rise.count, rise.district))


def psi(reference: Sequence[int], current: Sequence[int]) -> float:
    """Population stability index of two histograms over the same bins; 0 when they are alike.

    The sum over bins of (q - p) ln(q / p), a symmetrised Kullback-Leibler divergence. The reading
    (below 0.1 stable, from 0.25 on a large change) is the rule of thumb of Siddiqi, Credit Risk
    Scorecards, 2006. Half a count is added to each bin, so that an empty one stays finite.

    Raises: ValueError when the histograms do not have the same bins.
    """
    p, q = _shares(reference), _shares(current)
    return sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) + len(counts) / 2
    return [(count + 0.5) / total for count in counts]


def drift(reference: Sequence[int], current: Sequence[int]) -> tuple[float, Drift]:
    """The stability index of two histograms, and what to make of it."""
    index = psi(reference, current)
    if min(sum(reference), sum(current)) < LEAST_SAMPLE:
        return index, "too_few"
    return index, "alarm" if index >= ALARM else "watch" if index >= WATCH else "stable"


def share(part: int, whole: int) -> float | None:
    """Part of a whole, 0 to 1; None of nothing."""
    return part / whole if whole else None


def series(counts: Iterable[tuple[int, int]], periods: int) -> list[int]:
    """Counts as a list of `periods`, oldest first, from (periods ago, count) in any order."""
    found = [0] * periods
    for ago, count in counts:
        if 0 <= ago < periods:
            found[periods - 1 - ago] += count
    return found
