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
from playwright.sync_api import Page, expect

from gateway.context import Context
from gateway.pages.kiosk import bounds
from gateway.settings import ROOT
from inference import picture, quality
from inference.picture import decode_square
from rig import agent
from rig import things as house

MODULE = "document.querySelector('script[type=module]').src.replace('app.js', 'picture.js')"
SIDE = 224


def test_the_square_is_the_models() -> None:
    described = json.loads((ROOT / "inference" / "model" / "leaf.json").read_text())
    assert described["side"] == quality.SQUARE == SIDE


def test_the_page_holds_no_bound_of_its_own(
    page: Page, context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Other bounds in the house are other bounds on the phone."""
    monkeypatch.setattr(quality, "MIN_BRIGHTNESS", 256)
    monkeypatch.setattr(picture, "MAX_SIDE", 64)
    monkeypatch.setattr(bounds, "MAX_PHOTOS", 1)
    agent.pair(page, context)
    path = tmp_path / "leaf.jpg"
    path.write_bytes(house.detailed_photo(seed=1, size=(600, 800)))
    page.locator("#gallery").set_input_files(path)
    expect(page.locator("#picked .notice")).to_contain_text("The photo is dark")
    expect(page.locator("#picked-count")).to_contain_text("1 of 1")
    script = f"""async (text) => {{
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const made = await (await import({MODULE})).prepare(new Blob([bytes]));
      const picture = await createImageBitmap(new Blob([made.bytes]));
      return [picture.width, picture.height];
    }}"""
    assert page.evaluate(script, base64.b64encode(path.read_bytes()).decode()) == [48, 64]


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
    with Image.open(io.BytesIO(photo)) as opened:
        plain = opened.convert("RGB")
    blur = ImageFilter.GaussianBlur(max(plain.size) / 60)
    made = [
        plain.filter(blur),
        ImageEnhance.Brightness(plain).enhance(0.15),
        ImageEnhance.Brightness(plain).enhance(3),
    ]
    found = [photo]
    for worse in made:
        out = io.BytesIO()
        worse.save(out, "JPEG", quality=90)
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
