"""Fetch the three public data sets with Hugging Face `datasets` and write a folder with manifest.

What comes out has the layout that `prepare` reads, so photos of one's own can be put beside it.
Checksums of what is written, licences and the revision that was fetched are recorded for every
photo. Near-duplicates get one split group, because none of these sets says which photos show the
same leaf.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from huggingface_hub import HfApi
from numpy.typing import NDArray
from PIL import Image, ImageOps

from inference.likeness import distances
from training.data import DataError
from training.leaks import perceptual_hashes

SHORT_SIDE = 256
GROUP_NEAR = 10  # bits of 64: wider than the leak check's bound, so that the check has slack
COLUMNS = ("path", "class", "pool", "source_repo", "source_path", "original_dataset", "licence",
           "sha256", "split_group")  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A public data set: where it is, what its labels mean here, and under which licence.

    `classes` maps the data set's label names to (pool, class); other labels are left out.
    """

    name: str
    repository: str
    licence: str
    classes: dict[str, tuple[str, str]]
    image: str = "image"
    label: str = "label"
    revision: str = "main"
    split: str = "train+validation+test"


# Where the sets were last known to be; `download --from NAME=REPOSITORY` follows one that moved.
# Licences as the data sets' own pages state them; Kaggle's cassava set is for research use, see
# docs/model-card.md.
SOURCES = (
    Source(
        name="iBeans",
        repository="AI-Lab-Makerere/beans",
        licence="MIT",
        image="image",
        label="labels",
        classes={
            "angular_leaf_spot": ("leaves", "bean_spot"),
            "bean_rust": ("other", "bean_rust"),
            "healthy": ("other", "bean_healthy"),
        },
    ),
    Source(
        name="PlantVillage",
        repository="mohanty/PlantVillage",
        licence="CC BY-SA 3.0 or CC0, depending on the mirror",
        split="train",
        classes={
            "Corn_(maize)___Common_rust_": ("leaves", "maize_rust"),
            "Corn_(maize)___Northern_Leaf_Blight": ("leaves", "maize_blight"),
            "Corn_(maize)___healthy": ("leaves", "healthy"),
            "Corn_(maize)___Cercospora_leaf_spot Gray_leaf_spot": ("other", "maize_gls"),
            "Potato___Early_blight": ("other", "potato_leaf"),
            "Potato___Late_blight": ("other", "potato_leaf"),
        },
    ),
    Source(
        name="Cassava Leaf Disease 2020",
        repository="pufanyi/cassava-leaf-disease-classification",
        licence="Kaggle competition data: research use; check before redistribution",
        split="train",
        classes={
            "Cassava Mosaic Disease (CMD)": ("leaves", "cassava_mosaic"),
            "Cassava Bacterial Blight (CBB)": ("other", "cassava_cbb"),
            "Cassava Brown Streak Disease (CBSD)": ("other", "cassava_cbsd"),
            "Cassava Green Mottle (CGM)": ("other", "cassava_cgm"),
            "Healthy": ("other", "cassava_healthy"),
        },
    ),
)


def download(folder: Path, sources: Sequence[Source] = SOURCES, per_class: int = 500) -> int:
    """Write photos and `manifest.csv` to `folder`; returns how many photos there are.

    At most `per_class` photos of a class are taken, in the data set's own order. Raises DataError
    when `datasets` is not installed or a data set cannot be had.
    """
    rows = [row for source in sources for row in _fetch(folder, source, per_class)]
    with click.progressbar(rows, label="grouping") as bar:
        hashes = np.array([perceptual_hashes(folder / row["path"]) for row in bar], np.uint64)
    for row, group in zip(rows, group_by_likeness(hashes), strict=True):
        row["split_group"] = f"{row['class']}_g{group:05d}"
    _spread_group_names(rows)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def _fetch(folder: Path, source: Source, per_class: int) -> Iterator[dict[str, str]]:
    source = _pinned(source)
    data = _load(source)
    names = data.features[source.label].names
    if strange := set(source.classes) - set(names):
        raise DataError(
            f"{source.name} ({source.repository}) has no {', '.join(sorted(strange))}; its labels "
            f"are {', '.join(names)}"
        )
    counts: dict[str, int] = {}
    with click.progressbar(length=len(data), label=source.name) as bar:
        for number, record in enumerate(data):
            bar.update(1)
            place = source.classes.get(names[record[source.label]])
            if place is None or counts.get(place[1], 0) >= per_class:
                continue
            counts[place[1]] = counts.get(place[1], 0) + 1
            yield _write(folder, source, number, place, record[source.image])


def _pinned(source: Source) -> Source:
    """The source at the commit that its revision means now; a folder on disk has none."""
    if Path(source.repository).is_dir():
        return source
    try:
        found = HfApi().dataset_info(source.repository, revision=source.revision)
    except Exception as error:  # network and hub errors share no base class
        raise DataError(f"{source.name} ({source.repository}) cannot be had: {error}") from error
    return replace(source, revision=found.sha or source.revision)


def _load(source: Source) -> Any:
    from datasets import load_dataset  # takes seconds, and only here

    try:
        return load_dataset(source.repository, revision=source.revision, split=source.split)
    except Exception as error:  # network, hub and format errors share no base class
        raise DataError(f"{source.name} ({source.repository}) cannot be had: {error}") from error


def _write(
    folder: Path, source: Source, number: int, place: tuple[str, str], picture: Image.Image
) -> dict[str, str]:
    pool, kind = place
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    scale = SHORT_SIDE / min(upright.size)
    if scale < 1:
        size = (round(upright.width * scale), round(upright.height * scale))
        upright = upright.resize(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=90)
    path = Path(pool) / kind / f"{source.name.split()[0].lower()}_{number:06d}.jpg"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(out.getvalue())
    return {
        "path": path.as_posix(),
        "class": kind,
        "pool": pool,
        "source_repo": f"{source.repository}@{source.revision}",
        "source_path": str(number),
        "original_dataset": source.name,
        "licence": source.licence,
        "sha256": hashlib.sha256(out.getvalue()).hexdigest(),
    }


def group_by_likeness(hashes: NDArray[np.uint64], near: int = GROUP_NEAR) -> list[int]:
    """Group number of each photo: near-duplicates, in any turn or flip, share one.

    hashes: (n, 8) from `perceptual_hashes`. Groups are numbered by their first photo.
    """
    group = list(range(len(hashes)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    for i in range(len(hashes)):
        for j in np.flatnonzero(distances(hashes, i) <= near) + i + 1:
            first, second = sorted((root(i), root(int(j))))
            group[second] = first
    return [root(i) for i in range(len(hashes))]


def _spread_group_names(rows: Iterable[dict[str, str]]) -> None:
    """A group is named after its first photo's class, also where it spans two classes."""
    names: dict[str, str] = {}
    for row in rows:
        number = row["split_group"].rsplit("_g", 1)[1]
        row["split_group"] = names.setdefault(number, row["split_group"])
