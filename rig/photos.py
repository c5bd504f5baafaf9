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
        picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        photos.append(saved(picture, "JPEG", quality=88))
    return photos


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def another(jpeg: bytes, number: int) -> bytes:
    """The same picture in other bytes: a comment (ISO 10918-1 B.2.4.5) with a number in it."""
    comment = b"%012d" % number
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]
