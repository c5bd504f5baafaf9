"""A JPEG's markers, read without decoding: its size, its passes, how it lies, whether it ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MAX_SEGMENTS = 2_000
"""Between a start and an end mark; a profile of 16 MB in the largest pieces takes 255."""

END = b"\xff\xd9"
# Codes that after a byte FF begin a segment: not a stuffed byte, a restart or a filler.
_BEGINS = np.ones(256, bool)
_BEGINS[[0x00, 0x01, *range(0xD0, 0xD9), 0xFF]] = False
_STRIDE = 1 << 16
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_DECODABLE = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}  # not lossless, not hierarchical
_SEQUENTIAL = {0xC0, 0xC1}  # Huffman coded
_SCAN, _EXIF = 0xDA, 0xE1
_ORIENTATION = 0x0112
_SIZES = {3: 2, 4: 4}
"""Bytes of the kinds of number that an orientation may be."""


@dataclass(frozen=True)
class Survey:
    """What the markers say up to the end mark of the first picture.

    bits: a colour. scans: passes over the picture, in one of which each pixel may be touched.
    whole: the end mark is there. crowded: more than MAX_SEGMENTS segments, the rest not read.
    orientation: EXIF's, 1 to 8.
    """

    frame: int
    bits: int
    width: int
    height: int
    colours: int
    scans: int
    whole: bool
    crowded: bool
    orientation: int

    @property
    def decodable(self) -> bool:
        """Whether libjpeg as Pillow has it knows this process and depth at all."""
        return self.frame in _DECODABLE and self.bits == 8

    @property
    def one_pass(self) -> bool:
        """Whether decoding takes time and memory for its bytes and pixels once, and no more."""
        return (
            self.frame in _SEQUENTIAL
            and self.colours in (1, 3)
            and self.scans <= self.colours
            and not self.crowded
        )


def survey(data: bytes) -> Survey | None:
    """Read the markers as libjpeg does; None when there is no picture's header before its data."""
    at, frame, scans, orientation = 2, None, 0, 0
    whole = crowded = False
    for count in range(MAX_SEGMENTS + 1):
        crowded = count == MAX_SEGMENTS
        mark = _next(data, at)
        if mark is None or crowded:
            break
        code, at = data[mark + 1], mark + 2
        if code == END[1]:
            whole = True
            break
        length = int.from_bytes(data[at : at + 2])
        if length < 2 or at + length > len(data):
            break
        if code in _FRAMES and frame is None and length >= 8:
            frame = code, data[at + 2], data[at + 3 : at + 5], data[at + 5 : at + 7], data[at + 7]
        elif code == _SCAN:
            if frame is None:
                return None
            scans += 1
        elif code == _EXIF and not orientation and data.startswith(b"Exif\0\0", at + 2):
            orientation = exif_orientation(data[at + 8 : at + length])
        at += length
    if frame is None and not crowded:
        return None
    code, bits, height, width, colours = frame or (0, 0, b"", b"", 0)
    return Survey(
        code,
        bits,
        int.from_bytes(width),
        int.from_bytes(height),
        colours,
        scans,
        whole,
        crowded,
        orientation or 1,
    )


def _next(data: bytes, at: int) -> int | None:
    """Where the next marker stands, from `at` on."""
    while at + 1 < len(data):
        if data[at] == END[0] and _BEGINS[data[at + 1]]:
            return at
        part = np.frombuffer(data[at : at + _STRIDE + 1], np.uint8)
        marks = np.flatnonzero(part[:-1] == END[0])
        marks = marks[_BEGINS[part[marks + 1]]]
        if marks.size:
            return at + int(marks[0])
        at += _STRIDE
    return None


def exif_orientation(block: bytes) -> int:
    """The orientation in an EXIF block, with or without its `Exif` label; 1 where it says none.

    Reads the first directory and nothing that it points to: a block of 64 kB may claim gigabytes.
    """
    tiff = block.removeprefix(b"Exif\0\0")
    if tiff[:4] not in (b"II*\0", b"MM\0*"):
        return 1
    order = "little" if tiff[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)  # type: ignore[arg-type]

    directory = number(4, 4)
    for at in range(directory + 2, directory + 2 + 12 * number(directory, 2), 12):
        if at + 12 > len(tiff):
            break
        if number(at, 2) == _ORIENTATION:
            value = number(at + 8, _SIZES.get(number(at + 2, 2), 0))
            return value if 1 <= value <= 8 else 1
    return 1
