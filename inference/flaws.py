"""Names of what can be wrong with a photo; `inference.quality` measures them."""

BLURRED, DARK, OVEREXPOSED, LEAF_TOO_SMALL = "blurred", "dark", "overexposed", "leaf_too_small"
