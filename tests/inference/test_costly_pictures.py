"""Files made to cost: many passes, unpacked texts, thousands of frames; and files only damaged."""

from __future__ import annotations

import io
import re
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from inference import picture as room
from inference.jpeg import MAX_SEGMENTS, exif_orientation, survey
from inference.picture import (
    MAX_RATIO,
    MAX_SCANS,
    MIN_SIDE,
    PictureError,
    decode,
    decode_square,
    normalise,
)
from rig.photos import saved


def leaf(width: int = 160, height: int = 120, mode: str = "RGB") -> Image.Image:
    """Green with some structure, so that every row of it costs bits."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 90, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    coarse[..., 1] += 120
    return Image.fromarray(coarse).resize((width, height)).convert(mode)


def segment(code: int, body: bytes) -> bytes:
    return bytes((0xFF, code)) + struct.pack(">H", len(body) + 2) + body


def with_scans(jpeg: bytes, count: int, before: bytes = b"") -> bytes:
    """The JPEG with so many empty passes over its first colour before its end mark."""
    start = survey(jpeg)
    assert start is not None
    sequential = start.frame in (0xC0, 0xC1)
    colour = 1 if jpeg.find(b"\x01\x22\x00") > 0 or jpeg.find(b"\x01\x11\x00") > 0 else 67
    spectrum = b"\x00\x3f\x00" if sequential else b"\x01\x3f\x00"
    one = before + segment(0xDA, bytes((1, colour, 0)) + spectrum) + b"\x7f"
    return jpeg[:-2] + one * count + jpeg[-2:]


def in_process(jpeg: bytes, frame: int) -> bytes:
    """The JPEG under another process number: arithmetic coding, lossless."""
    return re.sub(
        rb"\xff[\xc0-\xc2](?=\x00[\x0b\x11\x14]\x08)", bytes((0xFF, frame)), jpeg, count=1
    )


GREY = saved(leaf(mode="L"), "JPEG", progressive=True)
COLOUR = saved(leaf(), "JPEG", progressive=True)
PLAIN = saved(leaf(), "JPEG")

MANY_SCANS = {
    "grey": with_scans(GREY, 3_000),
    "colour": with_scans(COLOUR, 3_000),
    "cmyk": with_scans(saved(leaf(mode="CMYK"), "JPEG", progressive=True), 3_000),
    "of one process": with_scans(PLAIN, 3_000),
    "arithmetic": in_process(with_scans(COLOUR, 3_000), 0xCA),
    "arithmetic, sequential": in_process(with_scans(PLAIN, 3_000), 0xC9),
    "just too many": with_scans(GREY, MAX_SCANS),
    "fillers before each": with_scans(GREY, 200, b"\xff" * 9),
    "tables before each": with_scans(GREY, 200, segment(0xFE, b"\xff\xd9")),
    "no end mark": with_scans(GREY, 200)[:-2],
    "behind a comment that ends": with_scans(GREY, 200)[:2]
    + segment(0xFE, b"\xff\xd9 the end")
    + with_scans(GREY, 200)[2:],
    "thousands of comments": PLAIN[:2] + segment(0xFE, b"") * (MAX_SEGMENTS + 1) + PLAIN[2:],
}


@pytest.mark.parametrize("name", MANY_SCANS)
def test_passes_are_counted_before_anything_is_decoded(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.simplejpeg, "decode_jpeg", None)
    monkeypatch.setattr(room.guard, "run", None)
    for reader in (normalise, decode, lambda data: decode_square(data, 96)):
        with pytest.raises(PictureError) as refusal:
            reader(MANY_SCANS[name])
        assert refusal.value.code == "too_costly"


FEW_SCANS = {
    "as Pillow writes": COLOUR,
    "marks within a comment": PLAIN[:2] + segment(0xFE, b"\xff\xda" * 20_000) + PLAIN[2:],
    "a film behind the picture": PLAIN + b"\x00\xff\xda\x00" * 100_000,
    "a second picture behind": saved(leaf(), "MPO", save_all=True, append_images=[leaf()]),
    "as many as are read": with_scans(GREY, 1),
}


@pytest.mark.parametrize("name", FEW_SCANS)
def test_what_only_looks_like_passes_is_not_counted(name: str) -> None:
    assert decode(FEW_SCANS[name]).shape == (120, 160, 3)


def test_thousands_of_passes_would_reach_the_guarded_process_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even a JPEG whose passes are few is decoded here only when it has one and is small."""
    asked = []
    monkeypatch.setattr(room, "_guarded", lambda task, data, **_: asked.append(task) or 1 / 0)
    for costly in (COLOUR, saved(leaf(2400, 1800), "JPEG"), saved(leaf(), "PNG")):
        with pytest.raises(ZeroDivisionError):
            decode(costly)
    assert asked == ["rgb"] * 3
    decode(PLAIN)
    decode(normalise(PLAIN).jpeg)
    assert len(asked) == 3


@pytest.mark.parametrize("frame", [0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCF])
def test_a_rare_process_is_named(frame: int) -> None:
    with pytest.raises(PictureError, match="rare kind of JPEG") as refusal:
        decode(in_process(PLAIN, frame))
    assert refusal.value.code == "not_a_picture"


def test_twelve_bits_are_named() -> None:
    deep = PLAIN.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc1\x00\x11\x0c")
    with pytest.raises(PictureError, match="12 bits"):
        decode(deep)


# Damaged in transfer ------------------------------------------------------------------------

WHOLE = {
    "baseline": PLAIN,
    "progressive": COLOUR,
    "grey": saved(leaf(mode="L"), "JPEG"),
    "cmyk": saved(leaf(mode="CMYK"), "JPEG"),
    "restarts": saved(leaf(), "JPEG", restart_marker_rows=1),
    "large": saved(leaf(2400, 1800), "JPEG"),
}


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("name", WHOLE)
def test_a_lost_end_mark_costs_nothing(name: str, lost: int) -> None:
    whole = WHOLE[name]
    assert np.array_equal(decode(whole[:-lost]), decode(whole))
    assert decode(normalise(whole[:-lost]).jpeg).shape == decode(normalise(whole).jpeg).shape


@pytest.mark.parametrize(
    ("part", "end"),
    [(0.5, b""), (0.8, b"\xff"), (0.95, b""), (0.99, b""), (0.5, b"\xff\xd9"), (0.8, b"\xff\xd9")],
)
@pytest.mark.parametrize("name", ["baseline", "grey", "cmyk", "large"])
def test_lost_rows_are_refused_with_and_without_an_end_mark(
    name: str, part: float, end: bytes
) -> None:
    if name == "cmyk" and end == b"\xff\xd9":
        return  # nothing tells it from a photo whose lower part is one colour
    whole = WHOLE[name]
    with pytest.raises(PictureError) as refusal:
        decode(whole[: int(len(whole) * part)] + end)
    assert refusal.value.code == "truncated"


# PNG ----------------------------------------------------------------------------------------


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(
    width: int, height: int, depth: int, colour: int, extra: bytes = b"", adam: int = 0
) -> bytes:
    pixel = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] * depth // 8
    passes = [(0, 0, 1, 1)]
    if adam:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                  (1, 0, 2, 2), (0, 1, 1, 2)]  # fmt: skip
    rows = b"".join(
        (b"\0" + b"\x77" * pixel * len(range(x, width, dx))) * len(range(y, height, dy))
        for x, y, dx, dy in passes
    )
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, adam)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )  # fmt: skip


BALLAST = zlib.compress(bytes(100_000_000))
PNGS = {
    "16 bits": png(160, 120, 16, 2),
    "16 bits, clear": png(160, 120, 16, 6),
    "interlaced": png(160, 120, 8, 6, adam=1),
    "16 bits, interlaced": png(160, 120, 16, 2, adam=1),
    "100 MB of text": png(160, 120, 8, 2, chunk(b"zTXt", b"Comment\0\0" + BALLAST) * 3),
    "100 MB of profile": png(160, 120, 8, 2, chunk(b"iCCP", b"icc\0\0" + BALLAST)),
    "100 MB of words": png(160, 120, 8, 2, chunk(b"iTXt", b"a\0\1\0\0\0" + BALLAST)),
    "many pieces": png(160, 120, 8, 2, chunk(b"tEXt", b"a\0b") * 50_000),
    "thousands of frames": png(
        160, 120, 8, 2,
        chunk(b"acTL", struct.pack(">II", 5_000, 0))
        + b"".join(chunk(b"fcTL", bytes(26)) + chunk(b"fdAT", bytes(8)) for _ in range(5_000)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PNGS)
def test_a_png_is_read_for_its_picture_alone(name: str) -> None:
    assert decode(PNGS[name]).shape == (120, 160, 3)


def test_a_large_empty_png_costs_the_process_that_asks_nothing() -> None:
    data = png(4_000, 3_000, 8, 6)
    assert len(data) < 60_000
    assert normalise(data).width == 1024


# Animations, HEIC, EXIF ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_hundreds_of_frames_the_first_counts(kind: str) -> None:
    frames = [Image.new("RGB", (64, 64), (0, n % 256, 255 - n % 256)) for n in range(300)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.abs(decode(data)[32, 32].astype(int) - (0, 0, 255)).max() < 12


def heic(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(picture).save(out, quality=80)
    return out.getvalue()


def test_a_heic_that_claims_to_be_huge_is_refused() -> None:
    data = heic(leaf()).replace(struct.pack(">II", 160, 120), struct.pack(">II", 60_000, 60_000))
    with pytest.raises(PictureError):
        normalise(data)


def tiff(order: str, entries: list[tuple[int, int, int, int]], said: int | None = None) -> bytes:
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    count = struct.pack(order + "H", len(entries) if said is None else said)
    rows = b"".join(
        struct.pack(order + "HHI", tag, kind, many)
        + (struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value))
        for tag, kind, many, value in entries
    )
    return head + count + rows + struct.pack(order + "I", 8)


TURN = 0x0112
ODD_EXIF = {
    "little": (tiff("<", [(TURN, 3, 1, 6)]), 6),
    "big": (tiff(">", [(TURN, 3, 1, 8)]), 8),
    "long": (tiff(">", [(TURN, 4, 1, 3)]), 3),
    "zero": (tiff("<", [(TURN, 3, 1, 0)]), 1),
    "nine": (tiff("<", [(TURN, 3, 1, 9)]), 1),
    "says more than it has": (tiff("<", [(1, 4, 1, 1)], said=65_535), 1),
    "points everywhere": (tiff("<", [(n, 7, 0xFFFFFFFF, 8) for n in range(5_000)]), 1),
    "each points to all": (tiff("<", [(n, 7, 60_000, 0) for n in range(270, 5_000)]), 1),
    "no directory": (b"II*\0\xff\xff\xff\xff", 1),
    "cut": (tiff("<", [(TURN, 3, 1, 6)])[:14], 1),
    "empty": (b"", 1),
}


@pytest.mark.parametrize("name", ODD_EXIF)
def test_the_orientation_is_read_and_nothing_else(name: str) -> None:
    block, turn = ODD_EXIF[name]
    assert exif_orientation(block) == turn
    assert exif_orientation(b"Exif\0\0" + block) == turn
    shape = (160, 120, 3) if turn in (6, 8) else (120, 160, 3)
    label = b"Exif\0\0" + block
    for kind in ("JPEG", "PNG", "WEBP"):
        assert decode(saved(leaf(), kind, exif=label)).shape == shape


# Sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(8160, 6144), (6144, 8160), (8192, 6144), (8165, 6124)])
def test_a_phone_of_fifty_megapixels_is_taken(size: tuple[int, int]) -> None:
    data = saved(Image.new("L", size, 90), "JPEG", quality=20)
    assert max(normalise(data).width, normalise(data).height) == 1024


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,.]*\d|\d", text)]


@pytest.mark.parametrize(
    ("width", "height", "most"),
    [(8000, 6501, room.MAX_PIXELS), (52_000_001, 1, room.MAX_PIXELS), (5000, 5001, 25_000_000)],
)
def test_a_refusal_never_rounds_into_the_limit(width: int, height: int, most: int) -> None:
    with pytest.raises(PictureError) as refusal:
        room._refuse_size(width, height, most)
    has, may = numbers(str(refusal.value))
    assert has > may


@pytest.mark.parametrize(
    "size", [(12_000, 500), (500, 12_000), (16_382, 900), (1920, 48), (3000, 562), (6000, 150)]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_is_kept_of_a_panorama_can_be_judged(size: tuple[int, int], kind: str) -> None:
    kept = normalise(saved(Image.new("RGB", size, (30, 140, 40)), kind))
    assert min(kept.width, kept.height) >= min(*size, 191)
    assert decode(kept.jpeg).shape == (kept.height, kept.width, 3)
    assert abs(kept.width / kept.height / (size[0] / size[1]) - 1) < 0.02
    again = normalise(kept.jpeg)
    assert decode_square(again.jpeg, 96).shape == (96, 96, 4)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_strip_is_refused_at_the_door(kind: str) -> None:
    long = MAX_RATIO * MIN_SIDE + 1
    for size in ((long, MIN_SIDE), (MIN_SIDE, long)):
        with pytest.raises(PictureError, match="strip") as refusal:
            normalise(saved(Image.new("RGB", size), kind))
        assert refusal.value.code == "too_narrow"
