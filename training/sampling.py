"""What an epoch consists of: photos in memory, drawn by weight, augmented reproducibly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset

from inference.drawn import LEAVES, draw_leaf_pixels
from inference.labels import LABELS, NONE_OF_THESE
from inference.picture import Pixels, decode
from training.augment import not_a_leaf, on_black, stranger, training_picture
from training.data import CLASSES, Photo

# Share of an epoch. Field photos are few and matter most, so they are drawn often; within a share
# a class or kind weighs by the square root of its photos, so that small kinds are not drowned.
FIELD, OTHER, SYNTHETIC, DRAWN = 0.10, 0.42, 0.07, 0.015  # the rest is leaves
MADE_STRANGE = 0.25  # of the photos that have an output beside the labels: those are none of these

FIVE, NONE = len(LABELS), CLASSES.index(NONE_OF_THESE)


@dataclass(frozen=True)
class Item:
    """One training picture to be made: photo number (-1: made up) and class index."""

    photo: int
    target: int


def load_pixels(photos: Sequence[Photo]) -> list[Pixels]:
    """All photos in memory, RGB; about 0.2 MB each at 256 px."""
    return [decode(p.path.read_bytes()) for p in photos]


def draw_epoch(photos: Sequence[Photo], count: int, rng: np.random.Generator) -> list[Item]:
    """`count` items, shares as above; what the data lacks goes to leaves."""
    pools = {
        name: [i for i, p in enumerate(photos) if p.pool == name]
        for name in ("leaves", "field", "other")
    }
    items = [Item(-1, NONE)] * round(count * SYNTHETIC)
    drawn = [LABELS.index(label) for label in LEAVES]
    items += [Item(-1, drawn[i]) for i in rng.integers(len(drawn), size=round(count * DRAWN))]
    for name, share in (("field", FIELD), ("other", OTHER)):
        if pools[name]:
            items += _draw(photos, pools[name], round(count * share), rng)
    items += _draw(photos, pools["leaves"], count - len(items), rng)
    return [items[i] for i in rng.permutation(len(items))]


def _draw(
    photos: Sequence[Photo], members: list[int], count: int, rng: np.random.Generator
) -> list[Item]:
    sizes = Counter(photos[i].kind for i in members)
    weights = np.array([sizes[photos[i].kind] ** -0.5 for i in members])
    chosen = rng.choice(members, count, p=weights / weights.sum())
    return [Item(int(i), photos[i].target) for i in chosen]


class Epoch(Dataset[tuple[torch.Tensor, int]]):
    """The pictures of one epoch; each is a function of seed, epoch and position alone."""

    def __init__(
        self,
        items: Sequence[Item],
        pixels: Sequence[Pixels],
        side: int,
        seed: tuple[int, int],
        noise: bool = True,
    ) -> None:
        self.items, self.pixels, self.side, self.seed, self.noise = items, pixels, side, seed, noise
        self.scenes = [p for p in pixels if not on_black(p)]
        strange = {item.photo for item in items if item.target >= FIVE and item.photo >= 0}
        self.strangers = [pixels[i] for i in sorted(strange)]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, position: int) -> tuple[torch.Tensor, int]:
        item = self.items[position]
        rng = np.random.default_rng((*self.seed, position))
        target = item.target
        if item.photo >= 0:
            source = self.pixels[item.photo]
            if target == NONE or (target >= FIVE and rng.random() < MADE_STRANGE):
                source, target = stranger(source, self.strangers, rng), NONE
        elif target == NONE:
            source = not_a_leaf(self.pixels, 256, rng)
        else:
            source = draw_leaf_pixels(CLASSES[target], int(rng.integers(1 << 31)))
        made = training_picture(source, self.scenes, self.side, rng, self.noise)
        return torch.from_numpy(made.copy()).permute(2, 0, 1), target
