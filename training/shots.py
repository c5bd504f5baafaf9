"""Photos as the model will see them: as they are, through noise, in several views, with their
backgrounds swapped. Decoded by the service's own code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.picture import Pixels, decode, decode_square, square
from training.augment import field_noise, fit, leaf_mask, on_black, paste
from training.data import Photo

NOISE_SIDE = 224  # where the reference's noise recipe is applied


@dataclass(frozen=True)
class Shot:
    """Photos as the model sees them, with what is known of them."""

    photos: tuple[Photo, ...]
    squares: tuple[Pixels, ...]

    @property
    def kinds(self) -> NDArray[np.str_]:
        return np.array([p.kind for p in self.photos], np.str_)

    @property
    def targets(self) -> NDArray[np.int64]:
        return np.array([p.target for p in self.photos], np.int64)


def shoot(photos: Sequence[Photo], side: int) -> Shot:
    """Decode photos exactly as the service does."""
    return Shot(tuple(photos), tuple(decode_square(p.path.read_bytes(), side) for p in photos))


def shoot_noisy(photos: Sequence[Photo], side: int, seed: int = 7) -> Shot:
    """The same through the reference's field-noise recipe."""
    rng = np.random.default_rng(seed)
    squares = []
    for photo in photos:
        clean = decode_square(photo.path.read_bytes(), NOISE_SIDE)[..., :3]
        squares.append(square(field_noise(clean, rng), side))
    return Shot(tuple(photos), tuple(squares))


def shoot_views(photos: Sequence[Photo], side: int, views: int, seed: int = 11) -> Shot:
    """Each photo whole, and again as random crops, so that a few photos give a finer threshold."""
    rng = np.random.default_rng(seed)
    many, squares = [], []
    for photo in photos:
        pixels = decode(photo.path.read_bytes())
        edge = min(pixels.shape[:2])
        for view in range(views):
            many.append(photo)
            if view == 0:
                squares.append(square(pixels, side))
                continue
            crop = int(edge * rng.uniform(0.8, 1.0))
            top = int(rng.integers(pixels.shape[0] - crop + 1))
            left = int(rng.integers(pixels.shape[1] - crop + 1))
            part = pixels[top : top + crop, left : left + crop]
            part = part[:, ::-1] if rng.random() < 0.5 else part
            squares.append(square(np.ascontiguousarray(part), side))
    return Shot(tuple(many), tuple(squares))


def shoot_shortcuts(photos: Sequence[Photo], scenes: Sequence[Pixels], side: int) -> Shot:
    """Black-background leaves laid onto other photos, all others cut out onto black."""
    rng = np.random.default_rng(5)
    squares = []
    for photo in photos:
        pixels = decode(photo.path.read_bytes())
        mask = leaf_mask(pixels, rng)
        if on_black(pixels):
            under = fit(scenes[int(rng.integers(len(scenes)))], pixels.shape[:2], rng)
        else:
            under = np.zeros_like(pixels)
        squares.append(square(paste(pixels, mask, under), side))
    return Shot(tuple(photos), tuple(squares))
