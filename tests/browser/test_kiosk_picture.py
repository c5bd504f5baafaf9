"""The first look at a photo on the phone says what the machine will say of it."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter
from playwright.sync_api import Page

from gateway.settings import ROOT
from inference import quality
from inference.picture import decode_square

MODULE = "document.querySelector('script[type=module]').src.replace('app.js', 'picture.js')"
SIDE = 224


def test_the_square_is_the_models() -> None:
    described = json.loads((ROOT / "inference" / "model" / "leaf.json").read_text())
    assert f'"side": {SIDE}' in json.dumps(described)
    script = (ROOT / "templates" / "static" / "kiosk" / "picture.js").read_text()
    for line in (
        f"const SQUARE = {SIDE};",
        f"const MIN_SHARPNESS = {quality.MIN_SHARPNESS};",
        f"const MIN_BRIGHTNESS = {quality.MIN_BRIGHTNESS:.0f};",
        f"const MAX_BURNT = {quality.MAX_BURNT};",
        f"const BURNT = {quality.BURNT};",
    ):
        assert line in script


@pytest.mark.parametrize("grain", [0, 4, 40])
def test_the_measures_are_the_same(paired: Page, grain: int) -> None:
    rng = np.random.default_rng(grain)
    slope = np.linspace(20, 200, SIDE)[None, :, None] + rng.normal(0, grain, (SIDE, SIDE, 1))
    square = np.repeat(slope.clip(0, 255).astype(np.uint8), 4, axis=2)
    script = f"async (bytes) => (await import({MODULE})).measure(bytes)"
    there = paired.evaluate(script, square.reshape(-1).tolist())
    here = quality.measure(square[..., :3])
    for name in ("sharpness", "brightness", "burnt"):
        assert there[name] == pytest.approx(getattr(here, name), rel=0.1, abs=0.05), name


def _worse(photo: bytes) -> list[bytes]:
    """The photo as it is, blurred, dark, and burnt out."""
    with Image.open(io.BytesIO(photo)) as picture:
        plain = picture.convert("RGB")
    blur = ImageFilter.GaussianBlur(max(plain.size) / 60)
    made = [
        plain.filter(blur),
        ImageEnhance.Brightness(plain).enhance(0.15),
        ImageEnhance.Brightness(plain).enhance(3),
    ]
    found = [photo]
    for picture in made:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=90)
        found.append(out.getvalue())
    return found


def test_real_photos_get_the_same_hints(paired: Page, photo_data: Path) -> None:
    """As they are and made worse, in nineteen of twenty at least."""
    with (photo_data / "manifest.csv").open(newline="") as file:
        paths = [photo_data / row["path"] for row in csv.DictReader(file)][::150]
    script = f"""async (text) => {{
      const module = await import({MODULE});
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      return (await module.prepare(new Blob([bytes]))).flaws;
    }}"""
    shown = (quality.BLURRED, quality.DARK, quality.OVEREXPOSED)
    same, flawed, seen = 0, 0, 0
    for path in paths:
        for photo in _worse(path.read_bytes()):
            there = paired.evaluate(script, base64.b64encode(photo).decode())
            names = quality.measure(decode_square(photo, SIDE)).names
            same += there == [name for name in names if name in shown]
            flawed += bool(there)
            seen += 1
    print(f"{same} of {seen} photos get the same hints, {flawed} of them some")
    assert same >= 0.95 * seen
    assert flawed > 0.4 * seen
