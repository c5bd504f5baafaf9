"""What the model sees: the central square, `side` pixels wide, raw bytes. One code for training
and for serving, so that they cannot drift apart."""

from inference.picture import Pixels, decode_square, square

# The graph computes (byte - PIXEL_MEAN) / PIXEL_STD itself; one pair for all three channels.
PIXEL_MEAN = 116.0
PIXEL_STD = 58.0

__all__ = ["PIXEL_MEAN", "PIXEL_STD", "Pixels", "decode_square", "square"]
