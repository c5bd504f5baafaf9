"""No photo, nor a turned, mirrored or re-encoded copy of it, may be in two splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference import likeness
from inference.likeness import NEAR
from training.data import Photo


@dataclass(frozen=True)
class Leak:
    """Two photos in different splits that are one photo, or one group."""

    first: Photo
    second: Photo
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.first.path} ({self.first.split}) and {self.second.path} "
            f"({self.second.split}): {self.reason}"
        )


def perceptual_hashes(path: Path) -> NDArray[np.uint64]:
    """As inference.likeness, of a file."""
    return likeness.perceptual_hashes(path.read_bytes())


def find_leaks(photos: Sequence[Photo], hashes: NDArray[np.uint64]) -> list[Leak]:
    """Leaks across splits. `hashes`: (photos, 8), from `perceptual_hashes`; column 0 is upright."""
    leaks = _shared_groups(photos)
    splits = np.array([p.split for p in photos])
    for i, photo in enumerate(photos):
        distance = likeness.distances(hashes, i)
        close = np.flatnonzero((distance <= NEAR) & (splits[i + 1 :] != photo.split))
        leaks += [
            Leak(
                photo, photos[i + 1 + int(j)], f"the same picture ({distance[j]} of 64 bits differ)"
            )
            for j in close
        ]
    return leaks


def _shared_groups(photos: Sequence[Photo]) -> list[Leak]:
    first: dict[str, Photo] = {}
    leaks = []
    for photo in photos:
        other = first.setdefault(photo.group, photo)
        if other.split != photo.split:
            leaks.append(Leak(other, photo, f"both in group {photo.group}"))
    return leaks
