"""The officer's picture: the photo with what the model looked at laid over it."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.picture import JPEG_QUALITY, decode, square

SIDE = 448
STRENGTH = 0.75
"""Share of the colour where the model looked hardest; it falls with the root of the map, so that
what counted half as much is still seen."""

# Black-red-yellow-white, monotone in lightness, so that it also reads in grey and to the
# colour-blind.
_STOPS = np.array([[0, 0, 0], [160, 20, 20], [240, 130, 20], [250, 230, 90], [255, 255, 230]])


def heatmap(photo: bytes, cam: NDArray[np.float32], side: int = SIDE) -> bytes:
    """The photo's central square with the map over it, JPEG, side x side pixels.

    cam: (rows, columns), not negative, of any scale. Raises PictureError.
    """
    picture = square(decode(photo, side), side)[..., :3].astype(np.float32)
    peak = float(cam.max())
    level = Image.fromarray((cam / peak if peak > 0 else cam).astype(np.float32))
    fine = np.asarray(level.resize((side, side), Image.Resampling.BICUBIC)).clip(0, 1)
    ticks = np.linspace(0, 1, len(_STOPS))
    colours = np.stack([np.interp(fine, ticks, _STOPS[:, c]) for c in range(3)], axis=2)
    weight = STRENGTH * np.sqrt(fine)[..., None]
    mixed = picture * (1 - weight) + colours * weight
    out = io.BytesIO()
    Image.fromarray(mixed.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()
