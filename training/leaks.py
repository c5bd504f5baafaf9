"""No photo, nor a turned, mirrored or re-encoded copy of it, may be in two splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.picture import decode
from training.data import Photo

HASH_BITS = 64
NEAR = 4  # of 64 bits; unrelated leaf photos are rarely nearer than 10


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


def _dct_matrix(size: int) -> NDArray[np.float32]:
    k, n = np.mgrid[:size, :size]
    matrix: NDArray[np.float32] = np.cos(np.pi * k * (2 * n + 1) / (2 * size)).astype(np.float32)
    return matrix


_DCT = _dct_matrix(32)


def perceptual_hashes(path: Path) -> NDArray[np.uint64]:
    """64-bit DCT hashes of a photo in its eight rotations and flips, shape (8,).

    The hash is the sign of the 8 x 8 lowest frequencies of a 32 x 32 grey picture against their
    median (Zauner 2010, "Implementation and benchmarking of perceptual image hash functions").
    """
    picture = Image.fromarray(decode(path.read_bytes(), short_side=64)).convert("L")
    grey = np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS), np.float32)
    turned = [np.rot90(side, k) for side in (grey, grey[:, ::-1]) for k in range(4)]
    low = np.stack([(_DCT @ view @ _DCT.T)[:8, :8].ravel() for view in turned])
    bits = (low > np.median(low, axis=1, keepdims=True)).astype(np.uint8)
    return np.packbits(bits, axis=1).view(np.uint64).ravel()


def find_leaks(photos: Sequence[Photo], hashes: NDArray[np.uint64]) -> list[Leak]:
    """Leaks across splits. `hashes`: (photos, 8), from `perceptual_hashes`; column 0 is upright."""
    leaks = _shared_groups(photos)
    splits = np.array([p.split for p in photos])
    upright = hashes[:, 0]
    for i, photo in enumerate(photos):
        distance = np.bitwise_count(hashes[i][:, None] ^ upright[None, i + 1 :]).min(axis=0)
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
