"""A bounded look at real photos: nothing falls over, nothing absurd is said.

Some of these the model learnt from, so this is no accuracy figure; docs/model-card.md has those.
"""

import csv
import io
from pathlib import Path

import pytest
from PIL import Image

from inference.model import Model


def some(folder: Path, pool: str, kind: str, most: int) -> list[bytes]:
    with (folder / "manifest.csv").open(newline="") as file:
        paths = [r["path"] for r in csv.DictReader(file) if (r["pool"], r["class"]) == (pool, kind)]
    step = max(1, len(paths) // most)
    return [(folder / path).read_bytes() for path in paths[::step][:most]]


@pytest.mark.parametrize(
    "kind", ["bean_spot", "cassava_mosaic", "healthy", "maize_blight", "maize_rust"]
)
def test_leaves_get_their_label_and_mostly_advice(
    model: Model, photo_data: Path, kind: str
) -> None:
    found = [model.judge(photo) for photo in some(photo_data, "leaves", kind, 20)]
    assert sum(v.label == kind for v in found) >= 18
    assert sum(v.verdict == "advice" for v in found) >= 12
    assert not any(v.verdict == "no_leaf" for v in found)


def test_objects_animals_and_people_get_no_advice(model: Model, photo_data: Path) -> None:
    found = [model.judge(photo) for photo in some(photo_data, "other", "nonleaf", 60)]
    assert len(found) == 60
    assert sum(v.verdict == "advice" for v in found) <= 1


@pytest.mark.parametrize("kind", ["apple_leaf", "coffee_leaf", "bean_healthy", "cassava_healthy"])
def test_leaves_of_other_kinds_rarely_get_advice(model: Model, photo_data: Path, kind: str) -> None:
    found = [model.judge(photo) for photo in some(photo_data, "other", kind, 20)]
    assert sum(v.verdict == "advice" for v in found) <= 4


def test_a_photo_weighs_the_same_however_it_is_stored(model: Model, photo_data: Path) -> None:
    for photo in some(photo_data, "leaves", "cassava_mosaic", 6):
        with Image.open(io.BytesIO(photo)) as picture:
            lossless = io.BytesIO()
            picture.save(lossless, "PNG")
        one, two = model.judge(photo), model.judge(lossless.getvalue())
        assert one.label == two.label
        assert one.unknown_score == pytest.approx(two.unknown_score, abs=0.35)
