"""Fuzz the reading of pictures, in this process and without the guard around it.

    nice -n 19 python -m benchmarks.fuzz.pictures [--seconds 60] [--runs N] [--corpus FOLDER]

Whatever the bytes: pixels of a sane shape or a PictureError; what is kept can be read again, here,
without the guarded process; passes and size are counted before decoding. The corpus begins with
one small picture of each kind, made by code.
"""

from __future__ import annotations

import io

import atheris

with atheris.instrument_imports(include=["inference", "PIL"]):
    import pillow_heif
    from PIL import Image

    Image.init()
    from inference import jpeg, picture
    from inference.picture import PictureError

from benchmarks.fuzz.driver import fuzz
from rig.photos import saved

LONGEST = 40_000
MOST_PIXELS = 400_000
"""So that an input costs milliseconds; the real limit is a number and proved by tests."""
SIDE = 96


def one(data: bytes) -> None:
    """One execution. Raises: AssertionError, or whatever a stranger's file should not raise."""
    try:
        looked = picture._look(data)
        pixels = picture._decoded(data, SIDE, "RGBX")
    except PictureError as refusal:
        if refusal.code not in CODES:
            raise
        return
    height, width, channels = pixels.shape
    assert channels in (3, 4)
    assert min(height, width) >= picture.MIN_SIDE
    if looked is not None:
        assert looked.scans <= picture.MAX_SCANS
        assert looked.decodable
    assert picture.square(pixels, SIDE).shape == (SIDE, SIDE, 4)
    (width, height), kept = picture._normalised_task(data, 256)
    again = jpeg.survey(kept)
    assert again is not None
    assert again.one_pass
    assert (again.width, again.height) == (width, height)
    assert picture._here(kept, again, SIDE, "RGBX") is not None


CODES = {
    "empty",
    "not_a_picture",
    "truncated",
    "damaged",
    "too_many_pixels",
    "too_small",
    "too_narrow",
    "too_costly",
}


def seeds() -> list[bytes]:
    """A small picture of each kind that is read."""
    base = Image.linear_gradient("L").resize((64, 56)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    baseline = saved(base, "JPEG", exif=exif)
    heic = io.BytesIO()
    pillow_heif.from_pillow(base).save(heic, quality=30)
    return [
        baseline,
        baseline[:-2],
        heic.getvalue(),
        saved(base, "JPEG", progressive=True),
        saved(base.convert("L"), "JPEG", progressive=True),
        saved(base.convert("CMYK"), "JPEG"),
        saved(base, "JPEG", restart_marker_blocks=2),
        saved(base, "MPO", save_all=True, append_images=[base]),
        saved(base, "PNG", exif=exif),
        saved(base.convert("P"), "PNG", transparency=3),
        saved(base.convert("RGBA"), "PNG"),
        saved(base.convert("I;16"), "PNG"),
        saved(base, "PNG", save_all=True, append_images=[base.rotate(9)]),
        saved(base, "WEBP", exif=exif),
        saved(base, "WEBP", lossless=True),
        saved(base, "WEBP", save_all=True, append_images=[base.rotate(9)]),
        saved(base, "GIF"),
        saved(base, "GIF", save_all=True, append_images=[base.rotate(9)]),
    ]


if __name__ == "__main__":
    picture.MAX_PIXELS = picture.MAX_WEBP_PIXELS = MOST_PIXELS
    fuzz("pictures", __doc__ or "", one, seeds(), LONGEST)
