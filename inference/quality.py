"""What is wrong with a photo, in names that the agent's page can turn into advice.

Measured on the model's own square, every second pixel: what no longer shows at that size cannot
matter to the model. Bounds were chosen on validation photos, so that at most about one ordinary
photo in a hundred is named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.flaws import BLURRED, DARK, LEAF_TOO_SMALL, OVEREXPOSED
from inference.picture import Pixels

SQUARE = 224
"""The side of the shipped model's square."""
MIN_SHARPNESS = 2.3
MIN_BRIGHTNESS = 36.0
MAX_BURNT = 0.35
BURNT = 250
MIN_PLANT = 0.10


@dataclass(frozen=True)
class Quality:
    """sharpness: mean absolute Laplacian of the green channel relative to its spread, in percent.
    brightness: mean green, 0..255. burnt: share of pixels at white. plant: share in plant colours.
    """

    sharpness: float
    brightness: float
    burnt: float
    plant: float
    plant_mask: NDArray[np.bool_]

    @property
    def names(self) -> tuple[str, ...]:
        """The defects, in a fixed order."""
        found = {
            BLURRED: self.sharpness < MIN_SHARPNESS,
            DARK: self.brightness < MIN_BRIGHTNESS,
            OVEREXPOSED: self.burnt > MAX_BURNT,
            LEAF_TOO_SMALL: self.plant < MIN_PLANT,
        }
        return tuple(name for name, wrong in found.items() if wrong)


def measure(square: Pixels) -> Quality:
    """Quality of a (side, side, 3 or 4) square. The mask is (side / 2, side / 2)."""
    red, green, blue = (square[::2, ::2, c].astype(np.int16) for c in range(3))
    plant = (2 * green - red - blue > 14) | ((green - blue > 30) & (red - green < 20))
    fine = square[..., 1].astype(np.int16)
    row, above, below = fine[1:-1:2], fine[:-2:2], fine[2::2]
    laplacian = 4 * row[:, 1:-1] - above[:, 1:-1] - below[:, 1:-1] - row[:, :-2] - row[:, 2:]
    spread = float(green[::2, ::2].std()) + 4.0
    return Quality(
        sharpness=100 * float(np.abs(laplacian).mean()) / spread / 4,
        brightness=float(green.mean()),
        burnt=float(np.count_nonzero(green >= BURNT) / green.size),
        plant=float(np.count_nonzero(plant) / plant.size),
        plant_mask=plant,
    )
