"""The shortcuts of the data are broken, reproducibly."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.drawn import draw_leaf_pixels, draw_thing_pixels
from training.augment import field_noise, leaf_mask, on_black, recompose, training_picture, warp
from training.data import Photo
from training.sampling import NONE, Epoch, draw_epoch


def black_leaf() -> np.ndarray:
    pixels = np.zeros((200, 260, 3), np.uint8)
    pixels[50:150, 60:200] = (90, 140, 60)
    return pixels


SCENES = [draw_thing_pixels(seed, 256, "mottled") for seed in range(3)]


def test_a_leaf_on_black_is_recognised_and_cut_out() -> None:
    assert on_black(black_leaf())
    assert not on_black(draw_leaf_pixels("maize_rust"))
    mask = leaf_mask(black_leaf(), np.random.default_rng(0))
    assert mask[100, 130] == 255
    assert mask[10, 10] == 0


def test_most_black_backgrounds_go_and_some_come() -> None:
    rng = np.random.default_rng(0)
    kept = [on_black(recompose(black_leaf(), SCENES, rng)) for _ in range(60)]
    assert 0.1 < np.mean(kept) < 0.5
    soil = draw_leaf_pixels("cassava_mosaic")
    made = [on_black(recompose(soil, SCENES, rng)) for _ in range(60)]
    assert 0.1 < np.mean(made) < 0.4


def test_a_crop_is_square_and_not_stretched() -> None:
    y, x = np.mgrid[:300, :400]
    disc = ((x - 200) ** 2 + (y - 150) ** 2 < 60**2).astype(np.uint8) * 255
    pixels = np.repeat(disc[..., None], 3, axis=2)
    ratios = []
    for seed in range(30):
        made = np.asarray(warp(pixels, 128, np.random.default_rng(seed)))[..., 0] > 127
        inside = made.any(axis=0).sum(), made.any(axis=1).sum()
        if not (made[0].any() or made[-1].any() or made[:, 0].any() or made[:, -1].any()):
            ratios.append(inside[0] / inside[1])
    assert len(ratios) > 5
    assert np.median(ratios) == pytest.approx(1, abs=0.08)


def test_the_same_seed_gives_the_same_picture() -> None:
    leaf = draw_leaf_pixels("bean_spot")
    one, two = (training_picture(leaf, SCENES, 96, np.random.default_rng(5)) for _ in range(2))
    other = training_picture(leaf, SCENES, 96, np.random.default_rng(6))
    assert np.array_equal(one, two)
    assert one.shape == (96, 96, 3)
    assert not np.array_equal(one, other)


def test_field_noise_blurs_and_keeps_the_size() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert field_noise(noise, np.random.default_rng(1)).shape == (64, 64, 3)


def test_an_epoch_is_a_function_of_its_seed_and_holds_every_kind() -> None:
    photos = [Photo(Path("a"), "maize_rust", "leaves", "g", "train")] * 3
    photos += [Photo(Path("b"), "potato_leaf", "other", "h", "train")]
    photos += [Photo(Path("c"), "maize_blight", "field", "i", "train")]
    items = draw_epoch(photos, 200, np.random.default_rng(0))
    assert items == draw_epoch(photos, 200, np.random.default_rng(0))
    assert {i.photo for i in items} == {-1, 0, 1, 2, 3, 4}
    assert {i.target for i in items if i.photo == 3} == {NONE}
    pixels = [draw_leaf_pixels("maize_rust", i) for i in range(5)]
    first, second = (Epoch(items[:3], pixels, 64, (0, 1))[2] for _ in range(2))
    assert first[1] == second[1]
    assert bool((first[0] == second[0]).all())


def test_jpeg_noise_can_be_left_out() -> None:
    flat = np.full((120, 120, 3), 128, np.uint8)
    made = training_picture(flat, [flat], 64, np.random.default_rng(3), noise=False)
    out = io.BytesIO()
    Image.fromarray(made).save(out, "PNG")
    assert made.std() < 80
