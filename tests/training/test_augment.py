"""The shortcuts of the data are broken, reproducibly."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from inference import drawn
from inference.drawn import draw_leaf_pixels, draw_thing_pixels
from inference.labels import LABELS
from training import augment
from training.augment import (
    field_noise,
    leaf_mask,
    not_a_leaf,
    on_black,
    recolour,
    recompose,
    stranger,
    training_picture,
    turn_hue,
    warp,
)
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
    assert 0.1 < np.mean(made) < 0.5


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


def test_field_noise_is_the_references_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blur σ 0 to 1.5, brightness ±30 %, JPEG 50 to 85, each drawn over the whole of its range."""
    used: dict[str, list[float]] = {"blur": [], "quality": []}

    def blur(radius: float) -> ImageFilter.GaussianBlur:
        used["blur"].append(radius)
        return GaussianBlur(radius)

    def coded(picture: Image.Image, quality: int) -> Image.Image:
        used["quality"].append(quality)
        return jpeg(picture, quality)

    GaussianBlur, jpeg = ImageFilter.GaussianBlur, augment.jpeg
    monkeypatch.setattr(ImageFilter, "GaussianBlur", blur)
    monkeypatch.setattr(augment, "jpeg", coded)
    grey = np.full((32, 32, 3), 120, np.uint8)
    made = [field_noise(grey, np.random.default_rng(seed)) for seed in range(200)]
    assert {picture.shape for picture in made} == {grey.shape}
    bright = np.array([picture.mean() / 120 for picture in made])
    for values, low, high in (
        (bright, 0.7, 1.3),
        (np.array(used["blur"]), 0.0, 1.5),
        (np.array(used["quality"]), 50, 85),
    ):
        margin = 0.03 * (high - low)
        assert low - margin < values.min() < low + 2 * margin
        assert high - 2 * margin < values.max() < high + margin


def test_field_noise_takes_the_edges_off() -> None:
    sharp = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    made = [field_noise(sharp, np.random.default_rng(seed)) for seed in range(20)]
    assert np.median([picture.std() for picture in made]) < 0.7 * sharp.std()


def test_only_labels_that_have_a_drawing_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    photos = [Photo(Path("a"), "maize_rust", "leaves", "g", "train")]
    monkeypatch.delitem(drawn.LEAVES, "healthy")
    items = draw_epoch(photos, 4000, np.random.default_rng(0))
    made = {item.target for item in items if item.photo < 0} - {NONE}
    assert made == {LABELS.index(label) for label in drawn.LEAVES}


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


def test_the_noise_recipe_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []

    def watched(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: (used.append(name), work(*args))[1]

    monkeypatch.setattr(augment, "jpeg", watched("jpeg", augment.jpeg))
    monkeypatch.setattr(augment, "recompose", lambda pixels, *_: pixels)  # it has a blur of its own
    monkeypatch.setattr(ImageFilter, "GaussianBlur", watched("blur", ImageFilter.GaussianBlur))
    photo = black_leaf()
    for noise in (False, True):
        for seed in range(20):
            made = training_picture(photo, [photo], 64, np.random.default_rng(seed), noise=noise)
            assert made.shape == (64, 64, 3)
        assert set(used) == ({"jpeg", "blur"} if noise else set())


def brightness_after(noise: bool) -> np.ndarray:
    """Of a mid-grey mottled picture, relative to what it was, over many draws."""
    picture = Image.fromarray(draw_thing_pixels(3, 64, "mottled") // 2 + 64)
    before = np.asarray(picture).mean()
    drawn = (recolour(picture, np.random.default_rng(seed), brightness=noise) for seed in range(40))
    return np.array([np.asarray(made).mean() / before for made in drawn])


def test_brightness_changes_only_where_it_is_asked_for() -> None:
    assert brightness_after(noise=False).min() > 0.85
    assert brightness_after(noise=False).max() < 1.15
    assert brightness_after(noise=True).min() < 0.75
    assert brightness_after(noise=True).max() > 1.25


def test_turning_the_hue_moves_colours_and_leaves_grey() -> None:
    red, grey = np.full((2, 2, 3), (200, 0, 0), np.uint8), np.full((2, 2, 3), 90, np.uint8)
    assert turn_hue(red, 120)[0, 0].tolist() == [0, 200, 0]
    assert turn_hue(red, 360)[0, 0].tolist() == [200, 0, 0]
    assert np.abs(turn_hue(grey, 77).astype(int) - 90).max() <= 1


def test_a_stranger_stays_a_picture_of_its_size() -> None:
    for seed in range(20):
        made = stranger(SCENES[0], SCENES, np.random.default_rng(seed))
        again = stranger(SCENES[0], SCENES, np.random.default_rng(seed))
        assert made.shape == SCENES[0].shape
        assert made.dtype == np.uint8
        assert np.array_equal(made, again)


def test_what_is_made_up_is_a_square_picture() -> None:
    photos = [draw_leaf_pixels("maize_rust", seed) for seed in range(2)]
    for seed in range(20):
        made = not_a_leaf(photos, 96, np.random.default_rng(seed))
        assert made.dtype == np.uint8
        assert made.shape[2] == 3
        assert made.shape[0] == made.shape[1]
