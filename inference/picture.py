"""Photo bytes to pixels: what is a picture, is it sane, and how does it look upright in RGB.

Needs neither the model nor ONNX Runtime, so that an upload can be checked at the door.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
import pillow_heif
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

MAX_PIXELS = 50_000_000
MAX_WEBP_PIXELS = 25_000_000  # Pillow's WebP decoder holds the whole canvas four times
MAX_SIDE = 1024  # of the long side, as kept
MIN_SIDE = 48  # below this a leaf is a smudge, for the model as for a person
JPEG_QUALITY = 90
BACKDROP = (116, 116, 116)  # behind transparent pixels: the model's zero, so it says nothing

CROP_INSTEAD = 1.03  # a square at most this much too large loses its rim instead of being resized

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "HEIF")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_ORIENTATION = 0x0112
_SIMPLEJPEG_ERRORS = (ValueError, KeyError)  # KeyError: a chroma subsampling without a name

Image.MAX_IMAGE_PIXELS = None  # `_refuse_size` is stricter, and Pillow's warning is no answer
pillow_heif.register_heif_opener(thumbnails=False)


class PictureError(ValueError):
    """A photo that cannot be used. `code` is stable, the message is for a person.

    Codes: empty, not_a_picture, truncated, damaged, too_many_pixels, too_small.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class NormalisedPicture:
    """A clean upright RGB JPEG without metadata; width and height in pixels."""

    jpeg: bytes
    width: int
    height: int


def sniff(data: bytes) -> str | None:
    """The media type that the first bytes claim, None when it is no picture we read."""
    if data[:3] == b"\xff\xd8\xff":
        return "image/jpeg"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "image/heic"
    return None


def heif_brands() -> tuple[str, ...]:
    """Names of the HEIF kinds that `sniff` knows, as they stand in a file."""
    return tuple(brand.decode() for brand in _HEIF_BRANDS)


def decode(data: bytes, short_side: int | None = None) -> Pixels:
    """Decode a photo to upright RGB, uint8, shape (height, width, 3).

    With `short_side` a JPEG is decoded at the smallest DCT scale whose short side is still at
    least that many pixels, and other formats are averaged down by a whole factor; nothing is ever
    enlarged. Of an animation the first frame counts. Raises PictureError.
    """
    return np.ascontiguousarray(_upright(data, short_side, "RGB")[..., :3])


def decode_square(data: bytes, side: int) -> Pixels:
    """The central square of a photo, resized: uint8, shape (side, side, 4), fourth channel unused.

    Four channels because that is how the decoder and the resizer work inside, and what the
    model's first convolution likes best: no copy is made on the way. Raises PictureError.
    """
    return square(_upright(data, side, "RGBX"), side)


def square(pixels: Pixels, side: int) -> Pixels:
    """Crop the central square of (height, width, 3 or 4) pixels and resize it: (side, side, 4)."""
    height, width, channels = pixels.shape
    edge = min(height, width)
    if channels == 4 and side <= edge <= side * CROP_INSTEAD:
        top, left = (height - side) // 2, (width - side) // 2
        return np.ascontiguousarray(pixels[top : top + side, left : left + side])
    left, top = (width - edge) / 2, (height - edge) / 2
    if channels == 4:
        picture = Image.frombuffer("RGBX", (width, height), np.ascontiguousarray(pixels))
    else:
        picture = Image.fromarray(pixels)
    box = (left, top, left + edge, top + edge)
    resized = picture.resize((side, side), Image.Resampling.BILINEAR, box=box)
    if channels == 4:
        return np.asarray(resized)
    four = np.full((side, side, 4), 255, np.uint8)
    four[..., :3] = np.asarray(resized)
    return four


def normalise(data: bytes, max_side: int = MAX_SIDE) -> NormalisedPicture:
    """Re-encode a photo as upright RGB JPEG, quality 90, metadata gone, long side ≤ `max_side`.

    Raises PictureError.
    """
    picture = Image.fromarray(decode(data, short_side=max_side))
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=JPEG_QUALITY)
    return NormalisedPicture(out.getvalue(), *picture.size)


def _upright(data: bytes, short_side: int | None, mode: str) -> Pixels:
    if not data:
        raise PictureError("empty", "The file is empty.")
    media = sniff(data)
    if media is None:
        raise PictureError(
            "not_a_picture", "This is not a photo we can read (send JPEG, PNG, WebP or HEIC)."
        )
    if media == "image/jpeg":
        pixels = _plain_jpeg(data, short_side, mode)
        if pixels is not None:
            return pixels
    return _any_picture(data, short_side)


def _plain_jpeg(data: bytes, short_side: int | None, mode: str) -> Pixels | None:
    """The quick way for an ordinary JPEG; None leaves it to Pillow, odd and broken ones alike."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        _refuse_size(width, height)
        if colours not in ("YCbCr", "Gray"):
            return None
        pixels: Pixels = simplejpeg.decode_jpeg(
            data,
            colorspace=mode,
            fastdct=True,
            fastupsample=True,
            min_height=short_side or 0,
            min_width=short_side or 0,
        )
    except PictureError:
        raise
    except _SIMPLEJPEG_ERRORS:
        return None
    return _turn(pixels, _exif_orientation(data))


def _exif_orientation(data: bytes) -> int:
    if data.find(b"Exif\0\0", 0, 1 << 16) < 0:
        return 1
    try:
        with _quiet(), Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            return _orientation(picture)
    except OSError:
        return 1


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except (OSError, ValueError, TypeError, SyntaxError, ArithmeticError):
        return 1  # broken metadata is no reason to refuse good pixels


def _turn(pixels: Pixels, orientation: int) -> Pixels:
    """Undo an EXIF orientation, 1 to 8."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _any_picture(data: bytes, short_side: int | None) -> Pixels:
    try:
        with _quiet(), Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            most = MAX_WEBP_PIXELS if picture.format == "WEBP" else MAX_PIXELS
            _refuse_size(*picture.size, most)
            if short_side:
                picture.draft(None, (short_side, short_side))
            picture.load()
            rgb = _rgb(picture)
            if short_side and (factor := min(rgb.size) // short_side) > 1:
                rgb = rgb.reduce(factor)
            return _turn(np.asarray(rgb), _orientation(picture))
    except PictureError:
        raise
    except EOFError as error:
        raise PictureError("truncated", "The photo is cut off: part of it is missing.") from error
    except Exception as error:  # Pillow's plugins raise nearly anything on a hostile file
        text = str(error).lower()
        if any(word in text for word in ("truncated", "end of file", "incomplete", "broken")):
            raise PictureError(
                "truncated", "The photo is cut off: part of it is missing."
            ) from error
        raise PictureError("damaged", "The photo is damaged and cannot be opened.") from error


def _quiet() -> warnings.catch_warnings[None]:
    """Pillow warns of odd metadata in a stranger's file; that is no news to anybody."""
    return warnings.catch_warnings(action="ignore")


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip, not scale
        deep = np.asarray(picture)
        return Image.fromarray((deep >> 8).astype(np.uint8)).convert("RGB")
    if picture.mode == "LA":
        grey = Image.new("L", picture.size, BACKDROP[0])
        grey.paste(picture.getchannel("L"), mask=picture.getchannel("A"))
        return grey.convert("RGB")
    if picture.has_transparency_data:
        clear = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        backdrop = Image.new("RGB", picture.size, BACKDROP)
        backdrop.paste(clear, mask=clear.getchannel("A"))  # no second copy in four channels
        return backdrop
    return picture.convert("RGB")


def _refuse_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    if width * height > most:
        raise PictureError(
            "too_many_pixels",
            f"The photo has {width * height / 1e6:.0f} megapixels; the most we take is "
            f"{most // 1_000_000}.",
        )
    if min(width, height) < MIN_SIDE:
        raise PictureError(
            "too_small",
            f"The photo is only {width} x {height} pixels; we need at least {MIN_SIDE} each way.",
        )
