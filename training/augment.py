"""One training picture from one photo, made so that no shortcut of the data survives.

Rust comes only on black, cassava only in 4:3, blight on a grey table. So black-background leaves
are put onto other photos, the others are cut out onto black, every crop is square and nothing is
ever stretched. All randomness comes from the generator passed in.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from inference.drawn import draw_thing_pixels
from inference.picture import Pixels

Mask = NDArray[np.uint8]  # 0..255, the size of its picture

FIRM = [min(max(4 * (level - 150), 0), 255) for level in range(256)]  # specks go, edges shrink
BLACK = 28  # brightest channel of a pixel that counts as background


def on_black(pixels: Pixels) -> bool:
    """Whether a leaf was cut out on black: much of the picture's border is black."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return bool((edge.max(axis=1) < BLACK).mean() > 0.35)


def fills_frame(pixels: Pixels) -> bool:
    """Whether nothing but leaf is to be seen, as in the healthy maize of the public set."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).astype(np.int16)
    return bool((edge[:, 1] >= edge[:, ::2].max(axis=1)).mean() > 0.9)


def leaf_mask(pixels: Pixels, rng: Generator) -> Mask:
    """Where the leaf is: all but the black, or a plant-coloured part, or a leaf-like shape."""
    if on_black(pixels):
        raw = pixels.max(axis=2) >= BLACK
    else:
        red, green, blue = (pixels[..., c].astype(np.int16) for c in range(3))
        raw = (2 * green - red - blue > 18) | ((red - blue > 24) & (red > 50))
        if rng.random() < 0.5 or not 0.2 < raw.mean() < 0.85:
            raw = _shape(pixels.shape[:2], rng)
    smooth = Image.fromarray((raw * 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(2))
    return np.asarray(smooth.point(FIRM))


def _shape(size: tuple[int, int], rng: Generator) -> NDArray[np.bool_]:
    """A random smooth blob, often long like a blade, that covers the middle."""
    height, width = size
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = 1 + 0.12 * sum(
        rng.normal() * np.cos(k * angles + rng.uniform(0, 6.3)) for k in (2, 3, 5)
    )
    x, y = radius * np.cos(angles) * rng.uniform(0.6, 1.2), radius * np.sin(angles)
    y *= rng.uniform(0.3, 1.0)
    turn = rng.uniform(0, np.pi)
    reach = min(height, width) * rng.uniform(0.38, 0.6)
    px = width / 2 + reach * (x * np.cos(turn) - y * np.sin(turn))
    py = height / 2 + reach * (x * np.sin(turn) + y * np.cos(turn))
    canvas = Image.new("L", (width, height))
    ImageDraw.Draw(canvas).polygon(list(zip(px.tolist(), py.tolist(), strict=True)), fill=255)
    return np.asarray(canvas) > 0


def paste(leaf: Pixels, mask: Mask, background: Pixels) -> Pixels:
    """The masked leaf over a background of the same size."""
    parts = (Image.fromarray(np.ascontiguousarray(part)) for part in (leaf, background, mask))
    return np.asarray(Image.composite(*parts))


def fit(pixels: Pixels, size: tuple[int, int], rng: Generator) -> Pixels:
    """A random crop of `pixels`, turned and flipped, resized without stretching to `size`."""
    height, width = size
    scale = rng.uniform(0.5, 1.0) * min(pixels.shape[0] / height, pixels.shape[1] / width)
    h, w = int(height * scale), int(width * scale)
    top = rng.integers(pixels.shape[0] - h + 1)
    left = rng.integers(pixels.shape[1] - w + 1)
    crop = Image.fromarray(pixels).crop((left, top, left + w, top + h))
    out = np.asarray(crop.resize((width, height), Image.Resampling.BILINEAR))
    out = out[:, ::-1] if rng.random() < 0.5 else out
    return out[::-1] if rng.random() < 0.3 else out


def background(size: tuple[int, int], scenes: Sequence[Pixels], rng: Generator) -> Pixels:
    """Something for a leaf to lie on: mostly a photo, else a plain or mottled colour."""
    if rng.random() < 0.75:
        scene = fit(scenes[int(rng.integers(len(scenes)))], size, rng)
        if rng.random() < 0.4:
            small = Image.fromarray(np.ascontiguousarray(scene)).reduce(2)  # a quarter of the work
            blurred = small.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3)))
            return np.asarray(blurred.resize(size[::-1], Image.Resampling.BILINEAR))
        return scene
    colour = rng.integers(0, 256, 3) if rng.random() < 0.5 else rng.integers(60, 230) + np.zeros(3)
    coarse = colour + rng.normal(0, rng.uniform(0, 40), (rng.integers(2, 24), 8, 1))
    mottled = Image.fromarray(np.clip(coarse, 0, 255).astype(np.uint8))
    return np.asarray(mottled.resize(size[::-1], Image.Resampling.BICUBIC))


def recompose(pixels: Pixels, scenes: Sequence[Pixels], rng: Generator) -> Pixels:
    """Move a leaf to another background; how often depends on where it lies now."""
    size = pixels.shape[:2]
    black = on_black(pixels)
    roll = rng.random()
    if black and roll < 0.7:
        return paste(*_shrink(pixels, leaf_mask(pixels, rng), rng), background(size, scenes, rng))
    if not black and roll < 0.26:
        level = rng.integers(0, 12)
        return paste(pixels, leaf_mask(pixels, rng), np.full_like(pixels, level))
    if not black and roll < (0.64 if fills_frame(pixels) else 0.38):
        return paste(pixels, leaf_mask(pixels, rng), background(size, scenes, rng))
    return pixels


def _shrink(pixels: Pixels, mask: Mask, rng: Generator) -> tuple[Pixels, Mask]:
    """Sometimes make a cut-out leaf smaller in its frame, as from further away."""
    if rng.random() < 0.5:
        return pixels, mask
    height, width = pixels.shape[:2]
    scale = rng.uniform(0.6, 1.0)
    small = (int(width * scale), int(height * scale))
    at = (int(rng.integers(width - small[0] + 1)), int(rng.integers(height - small[1] + 1)))
    leaf, cut = Image.new("RGB", (width, height)), Image.new("L", (width, height))
    leaf.paste(Image.fromarray(pixels).resize(small, Image.Resampling.BILINEAR), at)
    cut.paste(Image.fromarray(mask).resize(small, Image.Resampling.BILINEAR), at)
    return np.asarray(leaf), np.asarray(cut)


def warp(pixels: Pixels, side: int, rng: Generator) -> Image.Image:
    """A square at a random place, scale, angle and slight perspective; quarter turns and flips."""
    height, width = pixels.shape[:2]
    short = min(height, width)
    edge = short * np.sqrt(rng.uniform(0.35, 1.0))
    margin = short // 4
    padded = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    centre = np.array(
        [
            margin + edge / 2 + rng.uniform(0, width - edge),
            margin + edge / 2 + rng.uniform(0, height - edge),
        ]
    )
    turn = np.deg2rad(rng.normal(0, 12) + 90 * rng.integers(4))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * edge / 2
    corners = corners * [1 if rng.random() < 0.5 else -1, 1]
    corners = corners + rng.normal(0, 0.03, (4, 2)) * edge
    quad = tuple((corners @ rotation.T + centre).ravel())
    return Image.fromarray(padded).transform(
        (side, side), Image.Transform.QUAD, quad, Image.Resampling.BILINEAR
    )


def recolour(picture: Image.Image, rng: Generator, brightness: bool) -> Image.Image:
    """Saturation, tint, contrast and, if asked for, brightness and gamma.

    All but gamma are one affine map of the three channels, which Pillow applies in C.
    """
    grey = 1 + rng.uniform(-0.4, 0.4)
    matrix = grey * np.eye(3) + (1 - grey) / 3
    matrix *= rng.uniform(0.88, 1.12, 3)[:, None]
    contrast = rng.uniform(0.7, 1.3)
    mean = np.asarray(picture)[::8, ::8].mean((0, 1))
    offset = np.full(3, (matrix @ mean).mean() * (1 - contrast))
    matrix *= contrast
    if not brightness:
        return _affine(picture, matrix, offset)
    bright, gamma = rng.uniform(0.6, 1.4), np.exp(rng.uniform(-0.3, 0.3))
    curve = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(int).tolist()
    return _affine(picture, bright * matrix, bright * offset).point(curve * 3)


def _affine(
    picture: Image.Image, matrix: NDArray[np.float64], offset: NDArray[np.float64]
) -> Image.Image:
    """Every colour through `matrix` (3, 3), plus `offset` (3,), clipped to 0..255."""
    rows = np.concatenate([matrix, offset[:, None]], axis=1)
    return picture.convert("RGB", tuple(rows.ravel().tolist()))


def degrade(picture: Image.Image, rng: Generator, recipe: bool = True) -> Image.Image:
    """What a cheap phone and a slow network do: blur, small size, sensor noise, JPEG.

    `recipe` False leaves out what the reference's noise recipe is made of: blur and JPEG.
    """
    side = picture.width
    if recipe and rng.random() < 0.5:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.8)))
    if rng.random() < 0.15:
        small = int(side * rng.uniform(0.4, 0.9))
        picture = picture.resize((small, small), Image.Resampling.BILINEAR)
        picture = picture.resize((side, side), Image.Resampling.BILINEAR)
    if rng.random() < 0.2:
        noisy = np.asarray(picture, np.float32) + rng.normal(0, rng.uniform(2, 12), (side, side, 1))
        picture = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    if recipe and rng.random() < 0.6:
        picture = jpeg(picture, int(rng.integers(40, 96)))
    return picture


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    """Through a JPEG and back."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def field_noise(pixels: Pixels, rng: Generator) -> Pixels:
    """The reference's robustness recipe: blur σ 0 to 1.5, brightness ±30 %, JPEG 50 to 85.

    Used for testing only; training has its own, wider `degrade`, which can be left out.
    """
    picture = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.5)))
    bright = np.clip(np.asarray(picture, np.float32) * rng.uniform(0.7, 1.3), 0, 255)
    return np.asarray(jpeg(Image.fromarray(bright.astype(np.uint8)), int(rng.integers(50, 86))))


def not_a_leaf(photos: Sequence[Pixels], side: int, rng: Generator) -> Pixels:
    """A picture of none of the classes, made up: a drawn thing, a photo in colours that no leaf
    has, or the shape of a leaf cut out of something else."""
    roll = rng.random()
    if roll < 0.35:
        return draw_thing_pixels(int(rng.integers(1 << 31)), side)
    photo = photos[int(rng.integers(len(photos)))]
    if roll < 0.65:
        return turn_hue(photo, rng.uniform(60, 300))
    size = (side, side)
    inside = turn_hue(fit(photo, size, rng), rng.uniform(50, 310))
    shape = Image.fromarray((_shape(size, rng) * 255).astype(np.uint8))
    mask = np.asarray(shape.filter(ImageFilter.BoxBlur(1)))
    under = background(size, photos, rng) if rng.random() < 0.5 else np.zeros_like(inside)
    return paste(inside, mask, under)


def stranger(pixels: Pixels, strangers: Sequence[Pixels], rng: Generator) -> Pixels:
    """A photo of none of the classes, made stranger: a mixture of two is none of them either, nor
    is one in other colours. There are few such photos and many kinds of plant."""
    if rng.random() < 0.3:
        size = pixels.shape[:2]
        other = fit(strangers[int(rng.integers(len(strangers)))], size, rng)
        if rng.random() < 0.5:
            share = rng.uniform(0.3, 0.7)
            pixels = (pixels * share + other * (1 - share)).astype(np.uint8)
        else:
            pixels = paste(pixels, leaf_mask(pixels, rng), other)
    if rng.random() < 0.3:
        pixels = turn_hue(pixels, rng.uniform(-60, 60))
    return pixels


def turn_hue(pixels: Pixels, degrees: float) -> Pixels:
    """Turn all colours around the grey axis; 120 makes of red green."""
    turn = np.deg2rad(degrees)
    cos, third, cross = np.cos(turn), (1 - np.cos(turn)) / 3, np.sin(turn) / np.sqrt(3)
    first = np.array([cos + third, third - cross, third + cross])
    matrix = np.stack([first, np.roll(first, 1), np.roll(first, 2)])
    return np.asarray(_affine(Image.fromarray(np.ascontiguousarray(pixels)), matrix, np.zeros(3)))


def training_picture(
    pixels: Pixels, scenes: Sequence[Pixels], side: int, rng: Generator, noise: bool = True
) -> Pixels:
    """The whole chain: (side, side, 3). `noise` False leaves out the test's noise recipe:
    brightness, blur and JPEG; small sizes and sensor noise stay."""
    square = warp(recompose(pixels, scenes, rng), side, rng)
    coloured = recolour(square, rng, brightness=noise)
    return np.asarray(degrade(coloured, rng, recipe=noise))
