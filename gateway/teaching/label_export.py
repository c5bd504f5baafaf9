"""Officers' labels as a folder that training reads as it is.

Only photos of farmers who said a separate yes to training leave the store. Nothing in the folder
names a farmer, a case or an officer: what must be told apart is told apart by keyed digests.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from gateway.store import Store
from gateway.store.models import Case, Diagnosis, Farmer, Label, Photo
from gateway.store.photos import PhotoMissing, PhotoStore
from gateway.store.vault import SealBroken, Vault
from gateway.teaching.labels import NONE
from inference import likeness
from inference.picture import PictureError

COLUMNS = (
    "path", "class", "pool", "source_repo", "source_path", "original_dataset", "licence",
    "original_leaf_id", "sha256", "phash", "split_group",
)  # fmt: skip
POOL, OTHER_POOL = "field", "other"
"""Training's pools for photos of the five from real fields, and for what is none of the five."""
OTHER_KIND = "officer_none"
SHOWS_NOTHING = ("no_leaf", "unreadable")
"""Verdicts on a photo that no disease can be learnt from, whatever the officer knows otherwise."""
LICENCE = "the farmer's consent to training, given to this service; not for publication"
DIGEST_LETTERS = 16


class ExportError(Exception):
    """The folder cannot be written; the text is one line that says what to do."""


@dataclass(frozen=True)
class Example:
    """A photo on its way: its row of the manifest and its perceptual hashes, shape (8,)."""

    row: dict[str, str]
    hashes: NDArray[np.uint64]


@dataclass(frozen=True)
class Exported:
    photos: int
    left_out: Counter[str]
    """Photos that were not written, by reason."""


def export(store: Store, photos: PhotoStore, folder: Path) -> Exported:
    """Write photos and `manifest.csv` to a new or empty folder; the manifest comes last.

    Raises: ExportError.
    """
    left_out: Counter[str] = Counter()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise ExportError(f"{folder} is not empty; name a new folder")
        written = list(_written(store, photos, folder, left_out))
        kept, contradicted = settle(written)
        for example in contradicted:
            (folder / example.row["path"]).unlink()
        if contradicted:
            left_out["the same picture has a newer, other label"] = len(contradicted)
        with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(example.row for example in kept)
    except OSError as error:
        raise ExportError(f"{folder} cannot be written: {error.strerror}") from error
    return Exported(len(kept), left_out)


def settle(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Make photos that look the same agree: in label, or one goes; in split group.

    Args:
        examples: the newest label first.

    Returns:
        (kept, contradicted). Of two photos that look the same with different labels, the older
        label is contradicted. Of kept ones that look the same, all have one split group.
    """
    hashes = np.array([example.hashes for example in examples], np.uint64).reshape(-1, 8)
    gone: set[int] = set()
    group = {example.row["split_group"]: example.row["split_group"] for example in examples}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    for i, example in enumerate(examples):
        if i in gone:
            continue
        near = np.flatnonzero(likeness.distances(hashes, i) <= likeness.NEAR) + i + 1
        for j in near.tolist():
            other = examples[j].row
            if other["class"] != example.row["class"]:
                gone.add(j)
            else:
                group[root(other["split_group"])] = root(example.row["split_group"])
    for example in examples:
        example.row["split_group"] = root(example.row["split_group"])
    kept = [example for i, example in enumerate(examples) if i not in gone]
    return kept, [examples[i] for i in sorted(gone)]


def _written(
    store: Store, photos: PhotoStore, folder: Path, left_out: Counter[str]
) -> Iterator[Example]:
    seen: set[str] = set()
    for row in _labelled(store):
        if row.address in seen:
            continue  # the newest label comes first and counts
        seen.add(row.address)
        if row.training_consent_at is None:
            left_out["the farmer did not agree to training"] += 1
            continue
        if row.label != NONE and row.verdict in SHOWS_NOTHING:
            left_out["the photo shows no leaf"] += 1
            continue
        try:
            data = photos.get(row.address)
            hashes = likeness.perceptual_hashes(data)
        except (PhotoMissing, SealBroken, PictureError):
            left_out["the photo cannot be read"] += 1
            continue
        example = Example(_manifest_row(store.vault, row, data, hashes), hashes)
        path = folder / example.row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield example


def _labelled(store: Store) -> Iterator[Any]:
    query = (
        select(
            Label.label, Label.case_id, Label.plot_digest, Photo.address,
            Farmer.training_consent_at, Diagnosis.verdict,
        )
        .join(Photo, Photo.id == Label.photo_id)
        .join(Case, Case.id == Label.case_id)
        .join(Farmer, Farmer.id == Case.farmer_id)
        .outerjoin(Diagnosis, Diagnosis.photo_id == Photo.id)
        .order_by(Label.updated_at.desc(), Label.id.desc())
    )  # fmt: skip
    with store.reading() as session:
        yield from session.execute(query).all()


def _manifest_row(
    vault: Vault, row: Any, data: bytes, hashes: NDArray[np.uint64]
) -> dict[str, str]:
    """One line of the manifest.

    Farmer and plot make the split group. Training splits each class on its own, so a group is
    named within its class: else one farmer's two diseases could fall on two sides of the split.
    """
    pool, kind = (OTHER_POOL, OTHER_KIND) if row.label == NONE else (POOL, row.label)
    return {
        "path": f"{pool}/{kind}/{row.address[:DIGEST_LETTERS]}.jpg",
        "class": kind,
        "pool": pool,
        "source_repo": "leafline",
        "source_path": "",
        "original_dataset": "Leafline officers",
        "licence": LICENCE,
        "original_leaf_id": vault.digest(f"leaf {row.case_id}")[:DIGEST_LETTERS],
        "sha256": hashlib.sha256(data).hexdigest(),
        "phash": hashes[0].tobytes().hex(),
        "split_group": f"{kind}_{row.plot_digest[:DIGEST_LETTERS]}",
    }
