"""What a wrong word, a question and a person cost, and the lines that cost least.

Costs are in units of one case for an officer (ten minutes and two messages). They are judgements,
written down so that they can be argued with:

* wrong advice that destroys plants (uproot a cassava that has no mosaic): a season's food of some
  plants, and the village's trust: 20;
* wrong advice that destroys nothing (hygiene, rotation, another variety next season): the true
  trouble goes on for two weeks: 5;
* a second photo: ten minutes of farmer and agent: 0.5; half of those end with an officer.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from inference.labels import LABELS

DESTROYS = frozenset({"cassava_mosaic"})
WRONG_DESTRUCTIVE, WRONG_HARMLESS, OFFICER, SECOND_PHOTO = 20.0, 5.0, 1.0, 0.5

CROPS = ("bean", "cassava", "maize")
PREVALENCE = {"known": 0.60, "neighbours": 0.25, "foreign": 0.10, "objects": 0.05}
"""Of what kiosks are shown, assumed: leaves of the five; other conditions of the same crops; other
crops; things. No count of real uploads exists yet."""
OBJECTS = frozenset({"nonleaf", "background_pv"})
ANSWERED = 0.80
"""Of each label's own validation photos, by one photo: a line that refuses more leaves too much to
officers, whatever it saves. With it known leaves get their advice as often as before new outputs
came (0.97 of validation photos, by two)."""
GRID = np.round(np.concatenate([np.arange(1, 20) / 200, np.arange(10, 91) / 100]), 4)


def crop_of(kind: str) -> str | None:
    """The crop that an agent types for a photo of this kind; None for a foreign one."""
    if kind == "healthy":
        return "maize"
    first = kind.partition("_")[0]
    return first if first in CROPS else None


def group_of(kind: str, known: bool) -> str:
    """Which part of `PREVALENCE` a photo belongs to."""
    if known:
        return "known"
    if kind in OBJECTS:
        return "objects"
    return "neighbours" if crop_of(kind) else "foreign"


def cost_of_wrong(label: str) -> float:
    return WRONG_DESTRUCTIVE if label in DESTROYS else WRONG_HARMLESS


def lines(
    kinds: NDArray[np.str_],
    targets: NDArray[np.int64],
    best: NDArray[np.int64],
    sure: NDArray[np.bool_],
    unknown: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> Mapping[str, float]:
    """For each label the unknown score below which its advice costs least on these photos, but
    none so low that fewer than ANSWERED of its own are advised.

    All arrays are (n,). targets: index of what it is, from `len(LABELS)` on none of the five; best:
    the most probable of the five; sure: confident enough for advice; weights: of each photo within
    its group.
    """
    known = targets < len(LABELS)
    groups = np.array([group_of(kind, bool(k)) for kind, k in zip(kinds, known, strict=True)])
    share = np.zeros(len(kinds))
    for name, prevalence in PREVALENCE.items():
        mine = groups == name
        if mine.any():
            share[mine] = prevalence * weights[mine] / weights[mine].sum()
    typed = np.array([crop_of(kind) or "" for kind in kinds])
    found = {}
    for index, label in enumerate(LABELS):
        # Under another crop than was typed nothing is advised, wherever the line lies.
        mine = sure & (best == index) & ((typed == "") | (typed == crop_of(label)))
        right = targets[mine] == index
        refused = np.where(right, SECOND_PHOTO + OFFICER / 2, SECOND_PHOTO + OFFICER)
        advised = np.where(right, 0.0, cost_of_wrong(label))
        below = unknown[mine][None] < GRID[:, None]
        costs = (np.where(below, advised[None], refused[None]) * share[mine][None]).sum(axis=1)
        least = np.flatnonzero(costs <= costs.min() + 1e-12)
        own = targets == index
        answered = (sure & (best == index))[own][None] & (unknown[own][None] < GRID[:, None])
        enough = np.flatnonzero(answered @ weights[own] >= ANSWERED * weights[own].sum())
        lowest = enough[0] if own.any() and len(enough) else 0
        found[label] = float(GRID[max(least[len(least) // 2], lowest)])
    return found
