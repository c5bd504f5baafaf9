"""Photos for loads: drawn leaves, as many different ones as are wanted."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from inference.drawn import LEAVES, draw_leaf_pixels


def draw_photos(count: int, side: int) -> list[bytes]:
    """Different JPEG pictures: each has noise of its own, so none is a copy of another."""
    leaves = [
        Image.fromarray(draw_leaf_pixels(label, seed)).resize((side, side))
        for seed in range(2)
        for label in LEAVES
    ]
    rng = np.random.default_rng(0)
    photos = []
    for index in range(count):
        pixels = np.asarray(leaves[index % len(leaves)]).astype(np.int16)
        noise = rng.integers(-6, 7, (side // 4, side // 4, 1), dtype=np.int16)
        pixels = pixels + noise.repeat(4, 0).repeat(4, 1)
        out = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=88)
        photos.append(out.getvalue())
    return photos
