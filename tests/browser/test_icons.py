"""The icons: PNGs of the leaf, for phones that take no SVG; `make pictures` draws them anew."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

from gateway.settings import ROOT
from rig.browser import SCREENS

FOLDER = ROOT / "templates" / "static" / "base"
LEAF = (FOLDER / "leaf.svg").read_text()
SAFE = 0.8
"""Of a maskable icon a launcher may cut off all but a circle of this width (W3C manifest)."""
MOST_BYTES = 8_000
COLOURS = 32
SLIGHT = 4.0
"""Mean difference, of 255, that anti-aliasing by another browser may make."""


@pytest.mark.parametrize(
    ("name", "side", "share"),
    [("icon-192", 192, 1.0), ("icon-512", 512, 1.0), ("icon-maskable-512", 512, SAFE)],
)
def test_an_icon_is_the_leaf_drawn(browser: Browser, name: str, side: int, share: float) -> None:
    page = browser.new_page(viewport={"width": side, "height": side})
    ground = "#0b5d2a" if share < 1 else "transparent"
    leaf = LEAF.replace("<svg ", f'<svg width="{share:.0%}" style="margin:auto" ', 1)
    page.set_content(
        f'<body style="margin:0;height:100vh;display:flex;background:{ground}">{leaf}</body>'
    )
    shot = Image.open(io.BytesIO(page.screenshot(omit_background=True)))
    page.close()
    SCREENS.mkdir(parents=True, exist_ok=True)
    drawn = SCREENS / f"{name}.png"
    shot.quantize(COLOURS, method=Image.Quantize.FASTOCTREE).save(drawn, optimize=True)
    assert drawn.stat().st_size < MOST_BYTES
    kept = Image.open(FOLDER / f"{name}.png")
    assert kept.size == (side, side)
    difference = np.abs(_pixels(kept) - _pixels(Image.open(drawn)))
    assert difference.mean() < SLIGHT
    if share < 1:  # no hole in it, whatever shape it is cut to
        assert _pixels(kept)[..., 3].min() == 255


def _pixels(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.asarray(image.convert("RGBA"), np.int16)
