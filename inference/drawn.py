"""Pictures drawn by rule: a leaf of each class, and things that are no leaf at all.

For demonstrations and tests where no photo is at hand. They are drawings, not data: nothing said
about a drawn leaf says anything about a farmer's. The same label and seed give the same picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from inference.labels import LABELS
from inference.picture import JPEG_QUALITY, Pixels

Colour = tuple[int, int, int]
SIDE = 512

SOIL: Colour = (122, 92, 66)
BLADE: Colour = (74, 128, 52)

NO_LEAF = 5
"""Seeds the things, as it always did: a new label draws none of them anew."""


def draw_leaf(label: str, seed: int = 0) -> bytes:
    """A drawn leaf, `label` a key of LEAVES, as JPEG, 512 x 512. ValueError for other labels."""
    return _jpeg(draw_leaf_pixels(label, seed))


def draw_thing(seed: int = 0, kind: str | None = None) -> bytes:
    """A drawn picture without any leaf as JPEG, 512 x 512; `kind` is a key of THINGS."""
    return _jpeg(draw_thing_pixels(seed, kind=kind))


def draw_leaf_pixels(label: str, seed: int = 0) -> Pixels:
    """As `draw_leaf`, as uint8 (512, 512, 3)."""
    if label not in LEAVES:
        raise ValueError(f"no such class: {label}")
    rng = np.random.default_rng((seed, LABELS.index(label)))
    ground = Image.fromarray(_texture(rng, SIDE, _near(SOIL, rng, 30), 26))
    leaf, mask = LEAVES[label](rng, label)
    turned = rng.uniform(-25, 25) + 90 * rng.integers(2)
    leaf, mask = leaf.rotate(turned, Image.Resampling.BICUBIC), mask.rotate(turned)
    ground.paste(leaf, mask=mask.filter(ImageFilter.GaussianBlur(1)))
    return np.asarray(ground.filter(ImageFilter.GaussianBlur(0.8)))


def draw_thing_pixels(seed: int = 0, side: int = SIDE, kind: str | None = None) -> Pixels:
    """As `draw_thing`, as uint8 (side, side, 3)."""
    rng = np.random.default_rng((seed, NO_LEAF))
    name = kind or list(THINGS)[rng.integers(len(THINGS))]
    picture = THINGS[name](rng).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(picture.convert("RGB"))


def _jpeg(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def _near(colour: Colour, rng: Generator, spread: float) -> Colour:
    r, g, b = np.clip(np.array(colour) + rng.uniform(-spread, spread, 3), 0, 255).astype(int)
    return int(r), int(g), int(b)


def _texture(rng: Generator, side: int, colour: Colour, roughness: float) -> Pixels:
    """A colour with noise at every scale, uint8 (side, side, 3)."""
    total = np.zeros((side, side), np.float32)
    for cells in (3, 8, 24, 80, side):
        coarse = Image.fromarray(rng.normal(0, 1, (cells, cells)).astype(np.float32))
        total += np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)) * 0.5
    shade = np.array(colour, np.float32) + total[..., None] * roughness
    return np.clip(shade, 0, 255).astype(np.uint8)


def _outline(points: list[tuple[float, float]]) -> Image.Image:
    mask = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(mask).polygon(points, fill=255)
    return mask


def _maize(rng: Generator, label: str) -> tuple[Image.Image, Image.Image]:
    """A long blade across the picture, parallel veins, pale midrib."""
    leaf = Image.fromarray(_texture(rng, SIDE, _near(BLADE, rng, 14), 7))
    draw = ImageDraw.Draw(leaf)
    half = rng.uniform(0.26, 0.36) * SIDE
    for y in np.arange(SIDE / 2 - half, SIDE / 2 + half, 9):
        draw.line([(0, y), (SIDE, y)], fill=_near((92, 146, 66), rng, 6), width=1)
    draw.rectangle([0, SIDE / 2 - 7, SIDE, SIDE / 2 + 7], fill=(150, 182, 118))
    if label == "maize_blight":
        _cigars(draw, rng, half)
    elif label == "maize_rust":
        _pustules(draw, rng, half)
    x = np.linspace(-20, SIDE + 20, 30)
    wave = half * (1 + 0.04 * np.sin(x / rng.uniform(40, 70)))
    top = [(float(a), float(SIDE / 2 - b)) for a, b in zip(x, wave, strict=True)]
    bottom = [(float(a), float(SIDE / 2 + b)) for a, b in zip(x[::-1], wave, strict=True)]
    return leaf, _outline(top + bottom)


def _cigars(draw: ImageDraw.ImageDraw, rng: Generator, half: float) -> None:
    for _ in range(rng.integers(3, 6)):
        x, y = rng.uniform(0.15, 0.85) * SIDE, SIDE / 2 + rng.uniform(-0.75, 0.75) * half
        long, wide = rng.uniform(55, 105), rng.uniform(11, 20)
        along = np.linspace(-1, 1, 24)
        width = wide * np.sqrt(np.clip(1 - np.abs(along) ** 1.7, 0, 1))
        for grow, colour in (
            (1.25, (96, 104, 52)),
            (1.0, (178, 154, 112)),
            (0.55, (196, 178, 142)),
        ):
            upper = list(zip(x + along * long, y - width * grow, strict=True))
            lower = list(zip(x + along[::-1] * long, y + width * grow, strict=True))
            draw.polygon([(float(a), float(b)) for a, b in upper + lower], fill=colour)


def _pustules(draw: ImageDraw.ImageDraw, rng: Generator, half: float) -> None:
    for _ in range(rng.integers(260, 420)):
        x, y = rng.uniform(0, SIDE), SIDE / 2 + rng.uniform(-1, 1) * half
        long, wide = rng.uniform(3, 8), rng.uniform(1.6, 3.2)
        draw.ellipse([x - long - 2, y - wide - 2, x + long + 2, y + wide + 2], fill=(150, 150, 70))
        draw.ellipse([x - long, y - wide, x + long, y + wide], fill=_near((150, 78, 34), rng, 16))


def _bean(rng: Generator, _label: str) -> tuple[Image.Image, Image.Image]:
    """A broad heart-shaped leaflet with brown spots that end at the veins."""
    leaf = Image.fromarray(_texture(rng, SIDE, _near((112, 158, 64), rng, 14), 8))
    draw = ImageDraw.Draw(leaf)
    for _ in range(rng.integers(28, 48)):
        x, y = rng.uniform(0.2, 0.8, 2) * SIDE
        size = rng.uniform(6, 15)
        angles = np.sort(rng.uniform(0, 2 * np.pi, 5))
        for grow, colour in ((1.7, (176, 178, 72)), (1.0, _near((112, 74, 46), rng, 14))):
            corners = [(x + grow * size * np.cos(a), y + grow * size * np.sin(a)) for a in angles]
            draw.polygon([(float(a), float(b)) for a, b in corners], fill=colour)
    middle = SIDE / 2
    draw.line([(middle, 40), (middle, SIDE - 30)], fill=(164, 190, 116), width=5)
    for step in range(6):
        y = 120 + step * 56
        for side in (-1, 1):
            draw.line([(middle, y), (middle + side * 190, y - 90)], fill=(146, 178, 98), width=3)
    t = np.linspace(0, 2 * np.pi, 60)
    radius = 0.44 * SIDE * (0.86 + 0.14 * np.cos(t) - 0.1 * np.cos(2 * t))
    points = zip(middle + radius * np.sin(t) * 0.95, middle + radius * np.cos(t), strict=True)
    return leaf, _outline([(float(a), float(b)) for a, b in points])


def _cassava(rng: Generator, _label: str) -> tuple[Image.Image, Image.Image]:
    """Narrow lobes from one point, mottled pale yellow and green, bent."""
    coarse = rng.random((26, 26)) < 0.48
    patches = Image.fromarray((coarse * 255).astype(np.uint8)).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC
    )
    leaf = Image.fromarray(_texture(rng, SIDE, _near((66, 118, 48), rng, 12), 9))
    pale = Image.fromarray(_texture(rng, SIDE, _near((186, 196, 92), rng, 12), 9))
    leaf.paste(pale, mask=patches)
    draw, mask = ImageDraw.Draw(leaf), Image.new("L", (SIDE, SIDE))
    outline = ImageDraw.Draw(mask)
    centre = (SIDE / 2, SIDE * 0.6)
    for angle in np.deg2rad(np.linspace(-150, -30, 7) + rng.normal(0, 4, 7)):
        length, wide = rng.uniform(0.42, 0.56) * SIDE, rng.uniform(22, 34)
        t = np.linspace(0, 1, 20)
        bend = rng.normal(0, 40) * t**2
        width = wide * np.sin(np.pi * t**0.8) * (1 + 0.2 * np.sin(t * 18))
        ax, ay = np.cos(angle), np.sin(angle)
        x, y = centre[0] + ax * t * length - ay * bend, centre[1] + ay * t * length + ax * bend
        upper = list(zip(x - ay * width, y + ax * width, strict=True))
        lower = list(zip((x + ay * width)[::-1], (y - ax * width)[::-1], strict=True))
        outline.polygon([(float(a), float(b)) for a, b in upper + lower], fill=255)
        draw.line([(float(a), float(b)) for a, b in zip(x, y, strict=True)], (150, 176, 96), 3)
    outline.line([centre, (SIDE / 2, SIDE)], fill=255, width=9)
    return leaf, mask


def _plain(rng: Generator) -> Image.Image:
    level = (0, 255, int(rng.integers(256)))[int(rng.integers(3))]
    colour = (level,) * 3 if rng.random() < 0.5 else _near((128, 128, 128), rng, 127)
    return Image.new("RGB", (SIDE, SIDE), colour)


def _mottled(rng: Generator) -> Image.Image:
    colour = _near((128, 128, 128), rng, 110)
    return Image.fromarray(_texture(rng, SIDE, colour, rng.uniform(5, 60)))


def _noise(rng: Generator) -> Image.Image:
    return Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))


def _text(rng: Generator) -> Image.Image:
    dark = bool(rng.random() < 0.3)
    paper, ink = ((24, 26, 30), (220, 224, 228)) if dark else ((250, 250, 248), (30, 30, 34))
    page = Image.new("RGB", (SIDE, SIDE), paper)
    draw = ImageDraw.Draw(page)
    draw.rectangle([0, 0, SIDE, 44], fill=_near((60, 110, 90), rng, 60))
    y, size = 60.0, int(rng.integers(12, 26))
    letters = "abcdefghijklmnopqrstuvwxyz      .,0123456789"
    while y < SIDE:
        draw.text(
            (14, y),
            "".join(letters[int(i)] for i in rng.integers(len(letters), size=46)),
            fill=ink,
            font_size=size,
        )
        y += size * rng.uniform(1.3, 1.9)
    return page


def _face(rng: Generator) -> Image.Image:
    page = Image.fromarray(_texture(rng, SIDE, _near((150, 150, 160), rng, 80), 10))
    draw = ImageDraw.Draw(page)
    skin = _near((150, 105, 80), rng, 50)
    x, y, r = (
        SIDE / 2 + rng.uniform(-50, 50),
        SIDE / 2 + rng.uniform(-40, 40),
        rng.uniform(120, 180),
    )
    draw.ellipse([x - r, y - r * 1.5, x + r, y + r * 0.4], fill=_near((40, 30, 26), rng, 24))
    draw.rectangle([x - r * 0.4, y + r, x + r * 0.4, SIDE], fill=skin)
    draw.ellipse([x - r * 1.6, y + r * 1.6, x + r * 1.6, SIDE * 1.6], fill=_near(skin, rng, 90))
    draw.ellipse([x - r * 0.8, y - r * 1.1, x + r * 0.8, y + r * 1.2], fill=skin)
    for side in (-1, 1):
        ex = x + side * r * 0.34
        draw.ellipse([ex - 22, y - 34, ex + 22, y - 12], fill=(240, 238, 234))
        draw.ellipse([ex - 9, y - 32, ex + 9, y - 14], fill=(50, 34, 26))
        draw.line([ex - 28, y - 52, ex + 28, y - 54], fill=(50, 36, 30), width=8)
    draw.line([x, y - 10, x - 12, y + 34, x + 6, y + 36], fill=_near(skin, rng, 30), width=5)
    draw.arc([x - 44, y + 30, x + 44, y + 78], 20, 160, fill=(140, 50, 54), width=9)
    return page.filter(ImageFilter.GaussianBlur(1.5))


def _shapes(rng: Generator) -> Image.Image:
    page = Image.fromarray(_texture(rng, SIDE, _near((150, 150, 150), rng, 90), 12))
    draw = ImageDraw.Draw(page)
    for _ in range(rng.integers(2, 12)):
        x, y = rng.uniform(0, SIDE, 2)
        w, h = rng.uniform(20, 260, 2)
        colour = _near((128, 128, 128), rng, 127)
        kind = rng.integers(3)
        if kind == 0:
            draw.rectangle([x, y, x + w, y + h], fill=colour)
        elif kind == 1:
            draw.ellipse([x, y, x + w, y + h], fill=colour)
        else:
            draw.line([x, y, *rng.uniform(0, SIDE, 2)], fill=colour, width=int(rng.integers(2, 40)))
    return page.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 3)))


def _stripes(rng: Generator) -> Image.Image:
    x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, 120)
    wave = 0.5 + 0.5 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    first, second = (np.array(_near((128, 128, 128), rng, 127)) for _ in range(2))
    return Image.fromarray((first + wave[..., None] * (second - first)).astype(np.uint8))


LEAVES: dict[str, Callable[[Generator, str], tuple[Image.Image, Image.Image]]] = {
    "bean_spot": _bean,
    "cassava_mosaic": _cassava,
    "healthy": _maize,
    "maize_blight": _maize,
    "maize_rust": _maize,
}

THINGS: dict[str, Callable[[Generator], Image.Image]] = {
    "plain": _plain,
    "mottled": _mottled,
    "noise": _noise,
    "text": _text,
    "face": _face,
    "shapes": _shapes,
    "stripes": _stripes,
}
