"""Whether two photos are one: perceptual hashes, the same in any turn or flip of the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.picture import decode

NEAR = 4  # of 64 bits; unrelated leaf photos are rarely nearer than 10


def _dct_matrix(size: int) -> NDArray[np.float32]:
    k, n = np.mgrid[:size, :size]
    matrix: NDArray[np.float32] = np.cos(np.pi * k * (2 * n + 1) / (2 * size)).astype(np.float32)
    return matrix


_DCT = _dct_matrix(32)


def perceptual_hashes(photo: bytes) -> NDArray[np.uint64]:
    """64-bit DCT hashes of a photo in its eight rotations and flips, shape (8,), upright first.

    The hash is the sign of the 8 x 8 lowest frequencies of a 32 x 32 grey picture against their
    median (Zauner 2010, "Implementation and benchmarking of perceptual image hash functions").
    Raises PictureError.
    """
    picture = Image.fromarray(decode(photo, short_side=64)).convert("L")
    grey = np.asarray(picture.resize((32, 32), Image.Resampling.LANCZOS), np.float32)
    turned = [np.rot90(side, k) for side in (grey, grey[:, ::-1]) for k in range(4)]
    low = np.stack([(_DCT @ view @ _DCT.T)[:8, :8].ravel() for view in turned])
    bits = (low > np.median(low, axis=1, keepdims=True)).astype(np.uint8)
    return np.packbits(bits, axis=1).view(np.uint64).ravel()


def distances(hashes: NDArray[np.uint64], i: int) -> NDArray[np.uint8]:
    """Bits by which photo `i`, however turned, differs from each later one, shape (n - i - 1,).

    hashes: (n, 8), from `perceptual_hashes`.
    """
    bits: NDArray[np.uint8] = np.bitwise_count(hashes[i][:, None] ^ hashes[None, i + 1 :, 0])
    nearest: NDArray[np.uint8] = bits.min(axis=0)
    return nearest
