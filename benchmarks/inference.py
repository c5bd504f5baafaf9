"""Speed and size of the shipped model against the reference artefact, as ratios.

    python -m benchmarks.inference [--rounds 200] [--photo FILE] [--grain 5] [--json FILE]

Both run in this one process, one thread each, turn by turn; times are medians of processor time,
which is wall time on an idle machine and does not count the neighbours' on a busy one; that of the
processes in which large pictures are opened is counted along. "Label" is
what the reference answers, label and confidence; "verdict" is all that Leafline adds to it:
quality, the unknown score, attention and the rationale. Memory and load time are taken in a fresh
process each. Undoing a JPEG's entropy coding is the one part of decoding that no scaling saves, so
the 12 megapixels are measured as a phone's 2.6 MB and again without grain, 0.8 MB.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import reference
from inference.drawn import draw_leaf
from inference.labels import LABELS
from inference.model import FOLDER, GRAPH, Model
from inference.picture import decode_square
from rig import servers

SIZES = {
    "224 px": (224, 224),
    "1,024 px": (1024, 768),
    "1,600 x 1,200": (1600, 1200),
    "12 megapixels": (4000, 3000),
}

FRESH = """
import sys, time
photo = open(sys.argv[1], "rb").read()
started = time.perf_counter()
{load}
loaded = time.perf_counter() - started
answer(photo)
status = open("/proc/self/status").read()
print(loaded * 1000, int(status.split("VmHWM:")[1].split()[0]) / 1024)
"""
OURS = "from inference.model import Model; model = Model.load(); answer = model.judge"
THEIRS = (
    "from benchmarks import reference; reference.session(); answer = reference.reference_predict"
)


def photo_of(size: tuple[int, int], source: bytes, grain: float = 5) -> bytes:
    """The source picture at a size, with grain, so that the JPEG is as large as a phone's."""
    with Image.open(io.BytesIO(source)) as picture:
        pixels = np.asarray(picture.convert("RGB").resize(size), np.int16)
    noise = np.random.default_rng(0).normal(0, grain, (*pixels.shape[:2], 1))
    noisy = Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))
    out = io.BytesIO()
    noisy.save(out, "JPEG", quality=88)
    return out.getvalue()


def children() -> list[Path]:
    """What the kernel tells of the threads of processes that this one started."""
    found: list[Path] = []
    for pid in servers.children(os.getpid()):
        with suppress(OSError):  # one that ended meanwhile
            found += Path(f"/proc/{pid}/task").glob("*/schedstat")
    return found


def spent(helpers: Sequence[Path]) -> float:
    """Seconds of processor time of this process and of these."""
    total = time.process_time()
    for helper in helpers:
        with suppress(OSError):
            total += int(helper.read_text().split()[0]) / 1e9
    return total


def interleaved(*works: Callable[[], object], rounds: int) -> tuple[float, ...]:
    """Median milliseconds of processor time of each, called turn by turn after a warm-up."""
    times: list[list[float]] = [[] for _ in works]
    for call in range(rounds + 5):
        for taken, work in zip(times, works, strict=True):
            helpers = children()
            started = spent(helpers)
            work()
            if call >= 5:
                taken.append(spent(helpers) - started)
    return tuple(float(np.median(taken)) * 1000 for taken in times)


def fresh(load: str, photo: Path) -> tuple[float, float]:
    """Milliseconds to import and load, and peak megabytes, of a new process that judges once."""
    done = subprocess.run(
        [sys.executable, "-c", FRESH.format(load=load), str(photo)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded, peak = done.stdout.split()
    return float(loaded), float(peak)


def measure(rounds: int, source: bytes, grain: float, folder: Path) -> dict[str, tuple[float, ...]]:
    """All measurements: name to (ours, reference)."""
    model, theirs = Model.load(), reference.session()
    first = photo_of(SIZES["224 px"], source, grain)
    square = decode_square(first, model.side)[None]
    stretched = reference.preprocess(first)
    session = model._session

    def label(photo: bytes) -> tuple[str, float]:
        """What the reference answers, and no more: no quality, no attention, no rationale."""
        probabilities, _ = model.calibrated(model.read(decode_square(photo, model.side)).logits)
        best = int(probabilities.argmax())
        return LABELS[best], float(probabilities[best])

    found = {
        "session, ms": interleaved(
            lambda: session.run(["logits"], {"pixels": square}),
            lambda: theirs.run(None, {"input": stretched}),
            rounds=rounds,
        )
    }
    photos = {name: photo_of(size, source, grain) for name, size in SIZES.items()}
    photos["12 megapixels without grain"] = photo_of(SIZES["12 megapixels"], source, 0)
    for name, photo in photos.items():
        large = "megapixels" in name
        for goal, work in (("label", label), ("verdict", model.judge)):
            found[f"JPEG to {goal}, {name}, ms"] = interleaved(
                lambda work=work, photo=photo: work(photo),  # type: ignore[misc]
                lambda photo=photo: reference.reference_predict(photo),  # type: ignore[misc]
                rounds=max(1, rounds // 8) if large else rounds,
            )
    path = folder / "photo.jpg"
    path.write_bytes(photos["12 megapixels"])
    for load, name in ((0, "load with imports, ms"), (1, "peak memory, 12 megapixels, MB")):
        ours, other = (min(fresh(text, path)[load] for _ in range(3)) for text in (OURS, THEIRS))
        found[name] = (ours, other)
    found["model file, MB"] = (
        (FOLDER / GRAPH).stat().st_size / 1e6,
        reference.ARTEFACT.stat().st_size / 1e6,
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Shipped model against the reference artefact.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--photo", type=Path, help="a photo to use instead of a drawn leaf")
    parser.add_argument("--grain", type=float, default=5, help="noise added to it, 0 to 255")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    arguments = parser.parse_args()
    source = arguments.photo.read_bytes() if arguments.photo else draw_leaf("maize_rust")
    folder = reference.build().parent
    found = measure(arguments.rounds, source, arguments.grain, folder)
    print(f"{'':46}{'ours':>10}{'reference':>11}{'ratio':>8}")
    for name, (ours, theirs) in found.items():
        print(f"{name:46}{ours:10.3f}{theirs:11.3f}{ours / theirs:8.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
