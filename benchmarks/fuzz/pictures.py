"""Fuzz the reading of pictures, in this process and without the guard around it.

    nice -n 19 python -m benchmarks.fuzz.pictures [--seconds 60] [--runs N] [--corpus FOLDER]

Whatever the bytes: pixels of a sane shape or a PictureError; what is kept can be read again, here,
without the guarded process; passes and size are counted before decoding. The corpus begins with
one small picture of each kind, made by code, and grows in FOLDER if there is one. Needs atheris;
a finding is written to `crash-*` in the current folder and ends the run with status 77.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["inference", "PIL"]):
    import pillow_heif
    from PIL import Image

    Image.init()
    from inference import jpeg, picture
    from inference.picture import PictureError

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


def seeds() -> dict[str, bytes]:
    """A small picture of each kind that is read."""
    base = Image.linear_gradient("L").resize((64, 56)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = {
        "baseline.jpg": saved(base, "JPEG", exif=exif),
        "progressive.jpg": saved(base, "JPEG", progressive=True),
        "grey.jpg": saved(base.convert("L"), "JPEG", progressive=True),
        "cmyk.jpg": saved(base.convert("CMYK"), "JPEG"),
        "restarts.jpg": saved(base, "JPEG", restart_marker_blocks=2),
        "two.mpo": saved(base, "MPO", save_all=True, append_images=[base]),
        "plain.png": saved(base, "PNG", exif=exif),
        "palette.png": saved(base.convert("P"), "PNG", transparency=3),
        "clear.png": saved(base.convert("RGBA"), "PNG"),
        "deep.png": saved(base.convert("I;16"), "PNG"),
        "frames.png": saved(base, "PNG", save_all=True, append_images=[base.rotate(9)]),
        "lossy.webp": saved(base, "WEBP", exif=exif),
        "lossless.webp": saved(base, "WEBP", lossless=True),
        "frames.webp": saved(base, "WEBP", save_all=True, append_images=[base.rotate(9)]),
        "still.gif": saved(base, "GIF"),
        "frames.gif": saved(base, "GIF", save_all=True, append_images=[base.rotate(9)]),
    }
    out = io.BytesIO()
    pillow_heif.from_pillow(base).save(out, quality=30)
    kinds["one.heic"] = out.getvalue()
    kinds["no-end.jpg"] = kinds["baseline.jpg"][:-2]
    return kinds


def saved(base: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    base.save(out, kind, **options)
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=-1, help="executions, instead of seconds")
    parser.add_argument("--corpus", type=Path, default=None)
    chosen = parser.parse_args()
    folder = chosen.corpus or Path(tempfile.mkdtemp(prefix="leafline-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds().items():
        (folder / name).write_bytes(data)
    picture.MAX_PIXELS = picture.MAX_WEBP_PIXELS = MOST_PIXELS
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    options = (
        f"-max_total_time={chosen.seconds}" if chosen.runs < 0 else f"-runs={chosen.runs}",
        f"-max_len={LONGEST}",
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-reload=0",
        "-len_control=0",
    )
    atheris.Setup([sys.argv[0], *options, str(folder)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
