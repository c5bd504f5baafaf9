"""The crops and labels of the service, and which belong together."""

from __future__ import annotations

CROPS = ("maize", "beans", "cassava")

LABEL_CROP = {
    "bean_spot": "beans",
    "cassava_mosaic": "cassava",
    "healthy": "maize",  # the class was trained on maize leaves only
    "maize_blight": "maize",
    "maize_rust": "maize",
}
LABELS = tuple(LABEL_CROP)

_NAMES = {
    "maize": "maize", "corn": "maize", "mahindi": "maize", "ibigori": "maize", "mais": "maize",
    "beans": "beans", "bean": "beans", "maharage": "beans", "ibishyimbo": "beans",
    "haricot": "beans", "haricots": "beans",
    "cassava": "cassava", "manioc": "cassava", "muhogo": "cassava", "imyumbati": "cassava",
}  # fmt: skip


class BadCrop(ValueError):
    """Not a crop that the service knows."""


def parse(raw: str) -> str:
    """The crop by its name in any of the service's languages. Raises: BadCrop."""
    crop = _NAMES.get(raw.strip().casefold().replace("ï", "i"))
    if crop is None:
        raise BadCrop(f"crop must be one of {', '.join(CROPS)}")
    return crop
