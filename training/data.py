"""A folder of photos and its manifest: who is in which split, and why.

A manifest is a CSV with at least `path, class, pool, split_group`. Pools: `leaves` (the five
classes as the public sets have them), `field` (the same from real fields), `other` (anything that
is none of the five; a later batch of it is called `more`) and pools that are only ever looked at.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from inference.labels import BESIDE, LABELS, NONE_OF_THESE

CLASSES = (*LABELS, *BESIDE, NONE_OF_THESE)

BESIDE_OF_KIND = {
    "bean_healthy": "bean_healthy",
    "bean_rust": "bean_rust",
    "bean_rust_field": "bean_rust",
    "cassava_healthy": "cassava_healthy",
    "cassava_healthy_field": "cassava_healthy",
    "cassava_cgm": "cassava_green_mite",
    "cassava_cbsd": "cassava_brown_streak",
    "cassava_cbsd_field": "cassava_brown_streak",
    "maize_gls": "maize_grey_leaf_spot",
    "maize_gls_field": "maize_grey_leaf_spot",
}
"""Kinds of strangers that have an output of their own."""

# Shares of train, validation and test. Field photos are few, so the test gets more of them.
SHARES = {"leaves": (0.70, 0.15, 0.15), "field": (0.60, 0.15, 0.25), "other": (0.60, 0.15, 0.25)}

# Kinds that no training may see: they show whether the model refuses what it never met.
UNSEEN_KINDS = frozenset(
    {"apple_leaf", "nonleaf", "coffee_leaf", "banana_cordana", "carrot_weed", "chilli_weed"}
)
UNSEEN_POOLS = frozenset({"field_africa"})


class DataError(Exception):
    """The folder of photos is not what training needs; the message says what to do."""


@dataclass(frozen=True)
class Photo:
    """One row of the manifest and the split it fell into. `kind` is the manifest's class."""

    path: Path
    kind: str
    pool: str
    group: str
    split: str
    licence: str = ""
    origin: str = ""

    @property
    def target(self) -> int:
        """Index into CLASSES."""
        if self.pool == "other":
            return CLASSES.index(BESIDE_OF_KIND.get(self.kind, NONE_OF_THESE))
        return CLASSES.index(self.kind)


def read_manifest(folder: Path) -> list[dict[str, str]]:
    """Rows of `folder/manifest.csv` and of a manifest in any folder of it, such as what
    `leafline export` wrote; paths are relative to `folder`.

    Raises DataError when there is none, one lacks a column, or a photo is missing.
    """
    manifests = sorted(folder.glob("manifest.csv")) + sorted(folder.glob("*/manifest.csv"))
    if not manifests:
        raise DataError(
            f"{folder}/manifest.csv is missing: --data wants a folder of photos with a manifest.csv"
        )
    return [row for path in manifests for row in _rows(folder, path)]


def _rows(folder: Path, manifest: Path) -> Iterator[dict[str, str]]:
    with manifest.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = {"path", "class", "pool", "split_group"} - set(reader.fieldnames or ())
        if missing:
            raise DataError(f"{manifest} has no column {', '.join(sorted(missing))}")
        for row in reader:
            path = manifest.parent / row["path"]
            if not path.is_file():
                raise DataError(f"{manifest} names {row['path']}, which is not there")
            yield {**row, "path": Path(os.path.relpath(path, folder)).as_posix()}


def split(rows: Iterable[dict[str, str]], folder: Path, seed: int = 0) -> list[Photo]:
    """Give every photo a split, whole groups at a time, separately for each pool and class.

    Groups are ordered by a hash of seed and name, so a new photo moves no other. A group that
    spans several kinds goes whole where the first of them puts it, unseen kinds first. Photos of
    pools that are neither trained on nor tested are left out.
    """
    strata: dict[tuple[str, str], dict[str, list[dict[str, str]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        if _pool(row["pool"]) in SHARES or row["pool"] in UNSEEN_POOLS:
            strata[row["pool"], row["class"]][row["split_group"]].append(row)
    photos = []
    splits: dict[str, str] = {}
    for (pool, kind), groups in sorted(
        strata.items(), key=lambda item: (not _unseen(*item[0]), item[0])
    ):
        sizes = {name: len(rows) for name, rows in groups.items()}
        splits = _split_groups(pool, kind, sizes, seed) | splits
        photos += [
            Photo(
                path=folder / row["path"],
                kind=kind,
                pool=_pool(pool),
                group=row["split_group"],
                split=splits[name],
                licence=row.get("licence", ""),
                origin=row.get("original_dataset", ""),
            )
            for name, members in groups.items()
            for row in members
        ]
    unknown = {p.kind for p in photos if p.pool != "other"} - set(LABELS)
    if unknown:
        raise DataError(
            f"classes outside the five in leaves or field: {', '.join(sorted(unknown))}"
        )
    return photos


def _split_groups(pool: str, kind: str, sizes: dict[str, int], seed: int) -> dict[str, str]:
    if _unseen(pool, kind):
        return dict.fromkeys(sizes, "unseen")
    train, validation, _ = SHARES[_pool(pool)]
    total, seen, splits = sum(sizes.values()), 0, {}
    for name in sorted(sizes, key=lambda name: _order(seed, name)):
        middle = (seen + sizes[name] / 2) / total
        splits[name] = (
            "train" if middle < train else "validation" if middle < train + validation else "test"
        )
        seen += sizes[name]
    return splits


def _pool(name: str) -> str:
    """A later batch of strangers is split by itself, so that it moves none of the first."""
    return "other" if name == "more" else name


def _unseen(pool: str, kind: str) -> bool:
    return pool in UNSEEN_POOLS or kind in UNSEEN_KINDS


def _order(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def write_splits(photos: Iterable[Photo], folder: Path, path: Path) -> None:
    """Write the splits as CSV, paths relative to the folder of photos."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "kind", "pool", "group", "split", "licence", "origin"))
        for p in photos:
            relative = p.path.relative_to(folder).as_posix()
            writer.writerow((relative, p.kind, p.pool, p.group, p.split, p.licence, p.origin))


def read_splits(folder: Path, path: Path) -> list[Photo]:
    """Read what `write_splits` wrote. Raises DataError when `prepare` has not been run."""
    if not path.is_file():
        raise DataError(f"{path} is missing: run `python -m training prepare` first")
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Photo(
                path=folder / row["path"],
                kind=row["kind"],
                pool=row["pool"],
                group=row["group"],
                split=row["split"],
                licence=row["licence"],
                origin=row["origin"],
            )
            for row in csv.DictReader(file)
        ]


def select(photos: Iterable[Photo], *splits: str, pool: str | None = None) -> Iterator[Photo]:
    """The photos of these splits, of one pool if named."""
    return (p for p in photos if p.split in splits and pool in (None, p.pool))
