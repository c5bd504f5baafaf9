"""Photo bytes to pixels: what is a picture, is it sane, and how does it look upright in RGB.

Needs neither the model nor ONNX Runtime, so that an upload can be checked at the door. A small JPEG
of one pass is decoded here; anything else in the guarded process, under limits of memory and time.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pillow_heif
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from inference.guard import DecoderDied, Task, guard
from inference.jpeg import END, MAX_SEGMENTS, Survey, exif_orientation, survey

Pixels = NDArray[np.uint8]

MAX_PIXELS = 52_000_000  # what is sold as 50 megapixels has up to 50.4
MAX_WEBP_PIXELS = 25_000_000  # Pillow's WebP decoder holds the whole canvas four times
MAX_SIDE = 1024  # of the long side, as kept
HERE_PIXELS = 4_000_000  # a JPEG of one pass up to this costs less than handing it over
MAX_SCANS = 64  # cameras and web sites write up to a dozen
MIN_SIDE = 48  # below this a leaf is a smudge, for the model as for a person
MAX_RATIO = 40  # long side to short: a panorama has 24 at most
KEPT_RATIO = 16 / 3  # above it the short side decides how much a photo is reduced
JPEG_QUALITY = 90
BACKDROP = (116, 116, 116)  # behind transparent pixels: the model's zero, so it says nothing

CROP_INSTEAD = 1.03  # a square at most this much too large loses its rim instead of being resized


@dataclass(frozen=True)
class Format:
    """A kind of picture that is read. name: for people; suffixes: of file names, small letters."""

    media: str
    name: str
    suffixes: tuple[str, ...]


FORMATS = (
    Format("image/jpeg", "JPEG", (".jpg", ".jpeg")),
    Format("image/png", "PNG", (".png",)),
    Format("image/webp", "WebP", (".webp",)),
    Format("image/heic", "HEIC", (".heic", ".heif")),
    Format("image/gif", "GIF", (".gif",)),
)
"""All that is read: every door, page and command that names formats takes them from here."""
MEDIA = tuple(kind.media for kind in FORMATS)
SUFFIXES = frozenset(suffix for kind in FORMATS for suffix in kind.suffixes)
NAMES = f"{', '.join(kind.name for kind in FORMATS[:-1])} or {FORMATS[-1].name}"

_PILLOW = ("JPEG", "PNG", "WEBP", "GIF", "HEIF")
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND"}
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_NO_DATA = 128
_SIMPLEJPEG_ERRORS = (ValueError, KeyError)  # KeyError: a chroma subsampling without a name

Image.MAX_IMAGE_PIXELS = None  # `_refuse_size` is stricter, and Pillow's warning is no answer
pillow_heif.register_heif_opener(thumbnails=False)
pillow_heif.options.DECODE_THREADS = 1  # each would take its stack from the limit


class PictureError(ValueError):
    """A photo that cannot be used. `code` is stable, the message is for a person.

    Codes: empty, not_a_picture, truncated, damaged, too_many_pixels, too_small, too_narrow,
    too_costly.
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
    enlarged. Of an animation the first frame counts. Raises PictureError, DecoderBusy.
    """
    looked = _look(data)
    pixels = _here(data, looked, short_side, "RGB")
    if pixels is None:
        pixels = _pixels(_guarded("rgb", data, short_side=short_side))
    return np.ascontiguousarray(pixels[..., :3])


def decode_square(data: bytes, side: int) -> Pixels:
    """The central square of a photo, resized: uint8, shape (side, side, 4), fourth channel unused.

    Four channels because that is how the decoder and the resizer work inside, and what the
    model's first convolution likes best: no copy is made on the way.
    Raises PictureError, DecoderBusy.
    """
    looked = _look(data)
    pixels = _here(data, looked, side, "RGBX")
    if pixels is None:
        return _pixels(_guarded("square", data, side=side))
    return square(pixels, side)


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

    Of a panorama the long side is more, so that the short one keeps 3/16 of `max_side`: a photo
    that was taken can be judged. Raises PictureError, DecoderBusy.
    """
    looked = _look(data)
    pixels = _here(data, looked, max_side, "RGB")
    if pixels is None:
        (width, height), jpeg = _guarded("normalised", data, max_side=max_side)
        return NormalisedPicture(jpeg, width, height)
    return _normalised(pixels, max_side)


def _normalised(pixels: Pixels, max_side: int) -> NormalisedPicture:
    picture = Image.fromarray(pixels)
    longest = max_side
    if max(picture.size) > KEPT_RATIO * min(picture.size):
        longest = math.ceil(max_side / KEPT_RATIO * max(picture.size) / min(picture.size))
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=JPEG_QUALITY)
    return NormalisedPicture(out.getvalue(), *picture.size)


def _rgb_task(data: bytes, short_side: int | None) -> tuple[list[int], bytes]:
    pixels = _decoded(data, short_side, "RGB")[..., :3]
    return list(pixels.shape), pixels.tobytes()


def _square_task(data: bytes, side: int) -> tuple[list[int], bytes]:
    pixels = square(_decoded(data, side, "RGBX"), side)
    return list(pixels.shape), pixels.tobytes()


def _normalised_task(data: bytes, max_side: int) -> tuple[list[int], bytes]:
    made = _normalised(_decoded(data, max_side, "RGB"), max_side)
    return [made.width, made.height], made.jpeg


TASKS: dict[str, Task] = {
    "rgb": _rgb_task,
    "square": _square_task,
    "normalised": _normalised_task,
}
"""What the guarded process does. They decode whatever comes, in the process that calls them."""


def _guarded(task: str, data: bytes, **options: Any) -> tuple[list[int], bytes]:
    try:
        answer, made = guard.run(task, data, **options)
    except DecoderDied as end:
        raise PictureError(
            "too_costly",
            "The photo takes too much time or memory to open; save it as an ordinary JPEG and "
            "send it again.",
        ) from end
    if "code" in answer:
        raise PictureError(answer["code"], answer["text"])
    return answer["shape"], made


def _pixels(answer: tuple[list[int], bytes]) -> Pixels:
    shape, made = answer
    return np.frombuffer(made, np.uint8).reshape(shape)


def _look(data: bytes) -> Survey | None:
    """Refuse what its first bytes and markers already show to be none or too much; the markers of
    a JPEG. Nothing is decoded."""
    if not data:
        raise PictureError("empty", "The file is empty.")
    media = sniff(data)
    if media is None:
        raise PictureError("not_a_picture", f"This is not a photo we can read (send {NAMES}).")
    if media != "image/jpeg":
        if (size := _claimed_size(data, media)) is not None:
            _refuse_size(*size, _most(media))
        return None
    looked = survey(data)
    if looked is None:
        return None
    if looked.scans > MAX_SCANS or looked.crowded:
        many = f"{looked.scans:,} passes; the most we read is {MAX_SCANS}"
        if looked.scans <= MAX_SCANS:
            many = f"more than {MAX_SEGMENTS:,} pieces"
        raise PictureError(
            "too_costly",
            f"The photo is stored in {many}. Save it as an ordinary JPEG and send it again.",
        )
    if not looked.decodable:
        raise PictureError(
            "not_a_picture",
            f"This is a rare kind of JPEG that we cannot read (process {looked.frame - 0xC0}, "
            f"{looked.bits} bits); save it as an ordinary JPEG and send it again.",
        )
    if looked.height:
        _refuse_size(looked.width, looked.height)
    return looked


def _most(media: str) -> int:
    return MAX_WEBP_PIXELS if media == "image/webp" else MAX_PIXELS


def _claimed_size(data: bytes, media: str) -> tuple[int, int] | None:
    """Width and height from the header, where they stand at a fixed place."""
    try:
        if media == "image/png":
            return struct.unpack_from(">II", data, 16)
        if media == "image/webp":
            return _claimed_webp(data)
    except struct.error:
        pass
    return None  # a GIF's frame may be larger than its header says; a HEIF's size lies deep


def _claimed_webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        low, high = struct.unpack_from("<IH", data, 24)
        return (low & 0xFFFFFF) + 1, (low >> 24 | high << 8) + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _here(data: bytes, looked: Survey | None, short_side: int | None, mode: str) -> Pixels | None:
    """The pixels, when decoding them costs no more than handing them over and nothing is odd."""
    if looked is None or not looked.one_pass or looked.width * looked.height > HERE_PIXELS:
        return None
    return _plain_jpeg(data, looked, short_side, mode)


def _decoded(data: bytes, short_side: int | None, mode: str) -> Pixels:
    """Decode in this process, whatever it costs."""
    looked = _look(data)
    if looked is not None:
        pixels = _plain_jpeg(data, looked, short_side, mode)
        if pixels is not None:
            return pixels
        data = _ended(data, looked)
    return _any_picture(data, short_side)


def _ended(data: bytes, looked: Survey) -> bytes:
    """The JPEG with an end mark; where it had none, refuse it unless all its data is there.

    The line: the coded data of every block must be whole. A lost end mark, or half of it, costs
    nothing; with a byte less than that something of the last row is missing.
    """
    if looked.whole:
        return data
    data = data.removesuffix(b"\xff") + END
    try:
        colourspace = {1: "GRAY", 4: "CMYK"}.get(looked.colours, "RGB")
        simplejpeg.decode_jpeg(data, colorspace=colourspace, min_height=1, min_width=1)
    except _SIMPLEJPEG_ERRORS as error:
        raise _truncated() from error
    return data


def _plain_jpeg(data: bytes, looked: Survey, short_side: int | None, mode: str) -> Pixels | None:
    """The quick way for an ordinary JPEG; None leaves it to Pillow, odd and broken ones alike."""
    if not looked.whole:
        data = data.removesuffix(b"\xff") + END
    wanted = {
        "colorspace": mode,
        "fastdct": True,
        "fastupsample": True,
        "min_height": short_side or 0,
        "min_width": short_side or 0,
    }
    try:
        _, _, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours not in ("YCbCr", "Gray"):
            return None
        pixels: Pixels = simplejpeg.decode_jpeg(data, **wanted)
    except _SIMPLEJPEG_ERRORS as error:
        if "premature end" not in str(error).lower():
            return None
        pixels = simplejpeg.decode_jpeg(data, strict=False, **wanted)
        # Where data is missing libjpeg leaves its middle grey; elsewhere a flaw is no cut.
        if not looked.whole or np.all(pixels[-1, :, :3] == _NO_DATA):
            raise _truncated() from error
    return _turn(pixels, looked.orientation)


def _truncated() -> PictureError:
    return PictureError("truncated", "The photo is cut off: part of it is missing.")


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
    if sniff(data) == "image/png":
        data = _lean_png(data)
    try:
        with _quiet(), Image.open(io.BytesIO(data), formats=_PILLOW) as picture:
            _refuse_size(*picture.size, _most(f"image/{picture.format}".lower()))
            if short_side:
                picture.draft(None, (short_side, short_side))
            picture.load()
            orientation = _orientation(picture)
            rgb = _rgb(picture)
            if short_side and (factor := min(rgb.size) // short_side) > 1:
                rgb = rgb.reduce(factor)
            return _turn(np.asarray(rgb), orientation)
    except (PictureError, MemoryError):
        raise
    except EOFError as error:
        raise _truncated() from error
    except Exception as error:  # Pillow's plugins raise nearly anything on a hostile file
        text = str(error).lower()
        if any(word in text for word in ("truncated", "end of file", "incomplete", "broken")):
            raise _truncated() from error
        raise PictureError("damaged", "The photo is damaged and cannot be opened.") from error


def _lean_png(data: bytes) -> bytes:
    """The PNG without texts, profiles and later frames, which Pillow would unpack."""
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        if data[at + 4 : at + 8] in _PNG_KEPT or end > len(data):
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]])


def _orientation(picture: Image.Image) -> int:
    if picture.format == "HEIF":
        return 1  # turned already
    exif = picture.info.get("exif")
    return exif_orientation(exif) if isinstance(exif, bytes) else 1


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
            f"The photo has {_just_above(width * height / 1e6)} megapixels; the most we take is "
            f"{most // 1_000_000}.",
        )
    if min(width, height) < MIN_SIDE:
        raise PictureError(
            "too_small",
            f"The photo is only {width} x {height} pixels; we need at least {MIN_SIDE} each way.",
        )
    if max(width, height) > MAX_RATIO * min(width, height):
        raise PictureError(
            "too_narrow",
            f"The photo is a strip of {width} x {height} pixels; one side may be at most "
            f"{MAX_RATIO} times the other. Cut out the leaf and send it again.",
        )


def _just_above(value: float) -> str:
    """Rounded up to a tenth, so that what is above a whole limit never reads as the limit."""
    return f"{math.ceil(value * 10) / 10:,.1f}"
