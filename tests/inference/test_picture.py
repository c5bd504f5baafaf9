"""Photos as phones, networks and enemies send them."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from inference.picture import (
    MAX_PIXELS,
    MIN_SIDE,
    PictureError,
    decode,
    decode_square,
    normalise,
    sniff,
    square,
)
from rig.photos import saved


def two_colours(width: int = 160, height: int = 120) -> Image.Image:
    """Red above, blue below, so that a turn or a flip shows."""
    picture = Image.new("RGB", (width, height), (200, 30, 30))
    picture.paste((30, 30, 200), (0, height // 2, width, height))
    return picture


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds almost nothing: a decompression bomb's first bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    body = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    idat = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", body) + idat + chunk(b"IEND", b"")


def webp_header(width: int, height: int) -> bytes:
    """A lossless WebP that claims a size: 14 bits each, less one, after the byte 0x2f."""
    data = bytearray(saved(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    assert data[12:16] == b"VP8L"
    (bits,) = struct.unpack("<I", data[21:25])
    data[21:25] = struct.pack("<I", bits >> 28 << 28 | height - 1 << 14 | width - 1)
    return bytes(data)


def heic(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=90)
    return out.getvalue()


def grey16() -> bytes:
    ramp = np.zeros((120, 160), np.uint16)
    ramp[:60], ramp[60:] = 40_000, 10_000
    return saved(Image.fromarray(ramp), "PNG")


RED, BLUE = (200, 30, 30), (30, 30, 200)

READABLE = {
    "jpeg": (saved(two_colours(), "JPEG", quality=95), RED, BLUE),
    "progressive jpeg": (saved(two_colours(), "JPEG", quality=95, progressive=True), RED, BLUE),
    "grey jpeg": (saved(two_colours().convert("L"), "JPEG", quality=95), (80,) * 3, (49,) * 3),
    "cmyk jpeg": (saved(two_colours().convert("CMYK"), "JPEG", quality=95), RED, BLUE),
    "png": (saved(two_colours(), "PNG"), RED, BLUE),
    "palette png": (saved(two_colours().convert("P", palette=1), "PNG"), RED, BLUE),
    "16-bit png": (grey16(), (156,) * 3, (39,) * 3),
    "one-bit png": (saved(two_colours().convert("1", dither=0), "PNG"), (0,) * 3, (0,) * 3),
    "webp": (saved(two_colours(), "WEBP", quality=95), RED, BLUE),
    "heic": (heic(two_colours()), RED, BLUE),
    "gif": (saved(two_colours(), "GIF"), RED, BLUE),
    "animated gif": (
        saved(
            two_colours(),
            "GIF",
            save_all=True,
            append_images=[Image.new("RGB", (160, 120), (9, 200, 9))],
        ),
        RED,
        BLUE,
    ),
    "animated webp": (
        saved(
            two_colours(),
            "WEBP",
            save_all=True,
            append_images=[Image.new("RGB", (160, 120), (9, 200, 9))],
        ),
        RED,
        BLUE,
    ),
    "grey png, half of it clear": (
        saved(
            Image.merge(
                "LA",
                (
                    Image.new("L", (160, 120), 200),
                    two_colours().getchannel(0).point(lambda r: 255 * (r > 99)),
                ),
            ),
            "PNG",
        ),
        (200,) * 3,
        (116,) * 3,
    ),
    "transparent png": (
        saved(Image.new("RGBA", (160, 120), (200, 30, 30, 0)), "PNG"),
        (116,) * 3,
        (116,) * 3,
    ),
}


@pytest.mark.parametrize("name", READABLE)
def test_it_reads_every_kind_upright_in_rgb(name: str) -> None:
    data, above, below = READABLE[name]
    pixels = decode(data)
    assert pixels.shape == (120, 160, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels[20, 80].astype(int) - above).max() < 22
    assert np.abs(pixels[100, 80].astype(int) - below).max() < 22


REFUSED = {
    "empty": (b"", "empty"),
    "text": (b"hello, a leaf", "not_a_picture"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "not_a_picture"),
    "zip": (b"PK\x03\x04" + bytes(100), "not_a_picture"),
    "tiff": (saved(two_colours(), "TIFF"), "not_a_picture"),
    "half a jpeg": (READABLE["jpeg"][0][: len(READABLE["jpeg"][0]) // 2], "truncated"),
    "jpeg, first bytes": (READABLE["jpeg"][0][:300], "truncated"),
    "half a png": (READABLE["png"][0][: len(READABLE["png"][0]) // 2], "truncated"),
    "half a webp": (READABLE["webp"][0][: len(READABLE["webp"][0]) // 2], "damaged"),
    "jpeg marker, then rubbish": (b"\xff\xd8\xff" + b"rubbish" * 50, "damaged"),
    "1 x 1": (saved(Image.new("RGB", (1, 1)), "PNG"), "too_small"),
    "1 x 10,000": (saved(Image.new("RGB", (1, 10_000)), "PNG"), "too_small"),
    "1 x 10,000 jpeg": (saved(Image.new("RGB", (1, 10_000)), "JPEG"), "too_small"),
    "bomb": (png_header(60_000, 60_000), "too_many_pixels"),
    "webp bomb": (webp_header(16_383, 16_383), "too_many_pixels"),
    "webp just above 25 megapixels": (webp_header(5_000, 5_001), "too_many_pixels"),
    "just above what is taken": (png_header(8_000, 6_501), "too_many_pixels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses_with_a_code_and_a_sentence(name: str) -> None:
    data, code = REFUSED[name]
    with pytest.raises(PictureError) as refusal:
        decode(data)
    assert refusal.value.code == code
    assert str(refusal.value).endswith(".") or "(" in str(refusal.value)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_it_turns_a_photo_as_its_exif_says(kind: str, orientation: int) -> None:
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    upright = two_colours()
    upright.paste((240, 240, 30), (0, 0, 40, 30))  # one corner, so that flips show too
    stored = upright.transpose(undo) if undo is not None else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode(saved(stored, kind, exif=exif))
    assert pixels.shape == (120, 160, 3)
    assert np.abs(pixels[10, 10].astype(int) - (240, 240, 30)).max() < 40
    assert np.abs(pixels[110, 150].astype(int) - BLUE).max() < 40


@pytest.mark.parametrize("block", [b"II*\0\xff\xff\xff\xff" + b"\x99" * 40, b"no TIFF at all"])
@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("WEBP", "RGB")]
)
def test_broken_exif_does_not_cost_the_photo(kind: str, mode: str, block: bytes) -> None:
    data = saved(two_colours().convert(mode), kind, exif=b"Exif\0\0" + block)
    assert decode(data).shape == (120, 160, 3)


def test_a_jpeg_is_decoded_no_larger_than_needed() -> None:
    data = saved(two_colours(1600, 1200), "JPEG")
    assert decode(data, short_side=192).shape == (300, 400, 3)
    assert decode(data, short_side=2000).shape == (1200, 1600, 3)


@pytest.mark.parametrize("size", [(160, 120), (120, 160), (131, 97), (1024, 768)])
def test_the_square_is_the_middle_and_never_stretched(size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, (250, 250, 250))
    edge = min(size)
    left, top = (size[0] - edge) // 2, (size[1] - edge) // 2
    picture.paste((10, 10, 10), (left, top, left + edge, top + edge))
    for data in (saved(picture, "JPEG", quality=95), saved(picture, "PNG")):
        middle = decode_square(data, 96)
        assert middle.shape == (96, 96, 4)
        assert middle[4:-4, 4:-4, :3].max() < 40


def test_three_and_four_channels_give_the_same_square() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (150, 200, 3), dtype=np.uint8)
    four = np.dstack([pixels, np.zeros((150, 200), np.uint8)])
    assert np.array_equal(square(pixels, 96)[..., :3], square(four, 96)[..., :3])


def test_normalise_gives_a_small_clean_upright_jpeg() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a phone's maker"
    photo = normalise(saved(two_colours(3000, 2000), "JPEG", exif=exif))
    assert (photo.width, photo.height) == (683, 1024)
    assert sniff(photo.jpeg) == "image/jpeg"
    assert b"Exif" not in photo.jpeg
    with Image.open(io.BytesIO(photo.jpeg)) as again:
        assert again.size == (683, 1024)
        assert again.mode == "RGB"


def test_normalise_never_enlarges_and_can_be_repeated() -> None:
    once = normalise(READABLE["webp"][0])
    assert (once.width, once.height) == (160, 120)
    assert decode(normalise(once.jpeg).jpeg).shape == (120, 160, 3)


@pytest.mark.parametrize("name", REFUSED)
def test_normalise_refuses_the_same_files(name: str) -> None:
    with pytest.raises(PictureError):
        normalise(REFUSED[name][0])


def test_fifty_megapixels_are_read() -> None:
    wide = Image.new("RGB", (8_000, MAX_PIXELS // 8_000), (40, 120, 40))
    data = saved(wide, "JPEG", quality=60)
    assert min(decode(data, short_side=192).shape[:2]) >= 192


@pytest.mark.parametrize(
    ("start", "media"),
    [
        (READABLE["jpeg"][0], "image/jpeg"),
        (READABLE["png"][0], "image/png"),
        (READABLE["webp"][0], "image/webp"),
        (READABLE["heic"][0], "image/heic"),
        (READABLE["gif"][0], "image/gif"),
        (b"%PDF-1.7", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_sniff(start: bytes, media: str | None) -> None:
    assert sniff(start[:64]) == media


def test_the_smallest_picture_taken() -> None:
    data = saved(Image.new("RGB", (MIN_SIDE, MIN_SIDE)), "PNG")
    assert decode(data).shape == (MIN_SIDE, MIN_SIDE, 3)
