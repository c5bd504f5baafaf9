"""Splits by group, the leak check, the downloaded layout."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import DatasetInfo, HfApi
from PIL import Image

from inference.drawn import draw_leaf
from training.data import DataError, Photo, read_manifest, split
from training.downloads import SOURCES, download, group_by_likeness
from training.leaks import find_leaks, perceptual_hashes

from .conftest import run


def rows(pool: str, kind: str, groups: int, size: int = 3) -> list[dict[str, str]]:
    return [
        {"path": f"{kind}/{g}_{i}.jpg", "class": kind, "pool": pool, "split_group": f"{kind}_{g}"}
        for g in range(groups)
        for i in range(size)
    ]


def test_no_group_is_in_two_splits_and_shares_are_kept() -> None:
    photos = split(rows("leaves", "maize_rust", 60) + rows("other", "potato_leaf", 40), Path())
    for group in {p.group for p in photos}:
        assert len({p.split for p in photos if p.group == group}) == 1
    share = sum(p.split == "train" for p in photos if p.pool == "leaves") / 180
    assert share == pytest.approx(0.70, abs=0.03)


def test_a_group_of_several_kinds_is_not_torn_apart() -> None:
    both = [
        {"path": f"{kind}/{g}.jpg", "class": kind, "pool": pool, "split_group": f"both_{g}"}
        for g in range(20)
        for pool, kind in (("leaves", "cassava_mosaic"), ("other", "cassava_cgm"))
    ]
    photos = split(both + rows("other", "cassava_cgm", 9), Path())
    assert find_leaks(photos, np.zeros((len(photos), 8), np.uint64) + spread(len(photos))) == []
    unseen = [{**row, "class": "apple_leaf"} for row in both[1::2]]
    assert {p.split for p in split(both + unseen, Path())} == {"unseen"}


def spread(count: int) -> np.ndarray:
    """Hashes that are far from each other, (count, 8)."""
    made = np.random.default_rng(0).integers(0, 1 << 63, (count, 1), dtype=np.uint64)
    return np.repeat(made, 8, axis=1)


def test_kinds_kept_for_the_test_are_never_in_training() -> None:
    data = [r for kind in ("apple_leaf", "nonleaf", "coffee_leaf") for r in rows("other", kind, 9)]
    photos = split(data + rows("field_africa", "healthy", 9), Path())
    assert {p.split for p in photos} == {"unseen"}


def test_a_new_photo_moves_no_other() -> None:
    before = {p.path: p.split for p in split(rows("leaves", "healthy", 400), Path())}
    after = {p.path: p.split for p in split(rows("leaves", "healthy", 401), Path())}
    moved = sum(after[path] != where for path, where in before.items())
    assert moved <= 6


def test_pools_for_looking_only_are_left_out() -> None:
    assert split(rows("field_doubtful", "maize_rust", 5), Path()) == []


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(DataError, match="tomato"):
        split(rows("leaves", "tomato", 5), Path())


def test_a_missing_manifest_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest\.csv"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.csv").write_text("path,class\n")
    with pytest.raises(DataError, match="pool, split_group"):
        read_manifest(tmp_path)


def test_a_missing_photo_is_named(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text((photos / "manifest.csv").read_text())
    with pytest.raises(DataError, match=r"names leaves/\w+/0\.jpg, which is not there"):
        read_manifest(tmp_path)


def test_a_folder_with_its_own_manifest_adds_its_photos(photos: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(photos, tmp_path / "photos"))
    before = read_manifest(folder)
    extra = folder / "officers"
    extra.mkdir()
    (extra / "a.jpg").write_bytes(draw_leaf("maize_rust", 999))
    (extra / "manifest.csv").write_text(
        "path,class,pool,split_group\na.jpg,maize_rust,field,officers_1\n"
    )
    added = read_manifest(folder)[len(before) :]
    assert [row["path"] for row in added] == ["officers/a.jpg"]
    done = run("prepare", "--data", folder, "--run", tmp_path / "run")
    assert done.exit_code == 0, done.output
    assert "officers/a.jpg,maize_rust,field" in (tmp_path / "run" / "splits.csv").read_text()


@pytest.mark.parametrize("turn", [None, *Image.Transpose])
def test_a_turned_recompressed_copy_in_another_split_is_a_leak(
    tmp_path: Path, turn: Image.Transpose | None
) -> None:
    first, second = tmp_path / "a.jpg", tmp_path / "b.jpg"
    first.write_bytes(draw_leaf("maize_blight", 4))
    with Image.open(first) as picture:
        copy = picture.transpose(turn) if turn is not None else picture
        copy.resize((400, 400)).save(second, quality=60)
    photos = [
        Photo(first, "x", "leaves", "g1", "train"),
        Photo(second, "x", "leaves", "g2", "test"),
    ]
    hashes = np.stack([perceptual_hashes(p.path) for p in photos])
    assert len(find_leaks(photos, hashes)) == 1
    together = [photos[0], replace(photos[1], split="train")]
    assert find_leaks(together, hashes) == []


def test_a_group_in_two_splits_is_a_leak() -> None:
    photos = [
        Photo(Path("a"), "x", "leaves", "g", "train"),
        Photo(Path("b"), "x", "leaves", "g", "test"),
    ]
    hashes = np.array([[0] * 8, [2**64 - 1] * 8], np.uint64)
    assert [leak.reason for leak in find_leaks(photos, hashes)] == ["both in group g"]


def test_prepare_fails_on_a_leak_and_writes_nothing(photos: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(photos, tmp_path / "photos"))
    path = folder / "manifest.csv"
    with path.open() as file:
        manifest = list(csv.DictReader(file))
    twin = dict(manifest[0])
    for number in range(8):
        twin["path"], twin["split_group"] = f"leaves/copy_{number}.jpg", f"copy_{number}"
        shutil.copyfile(folder / manifest[0]["path"], folder / twin["path"])
        manifest.append(dict(twin))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(manifest[0]))
        writer.writeheader()
        writer.writerows(manifest)
    done = run("prepare", "--data", folder, "--run", tmp_path / "run")
    assert done.exit_code == 1
    assert "leaks between splits" in done.output
    assert not (tmp_path / "run" / "splits.csv").exists()


def local_source(folder: Path) -> object:
    """A data set in the hub's own folder format: one folder a label."""
    for label, kind in (
        ("angular_leaf_spot", "bean_spot"),
        ("healthy", "healthy"),
        ("bean_rust", "maize_rust"),
    ):
        for seed in range(5):
            path = folder / label / f"{seed}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(draw_leaf(kind, seed))
    return replace(SOURCES[0], repository=str(folder), label="label", split="train")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return tmp_path / "beans"


def test_download_writes_what_prepare_reads(hub: Path, tmp_path: Path) -> None:
    out = tmp_path / "photos"
    assert download(out, [local_source(hub)], per_class=4) == 12
    manifest = read_manifest(out)
    assert {r["pool"] for r in manifest} == {"leaves", "other"}
    assert {r["licence"] for r in manifest} == {"MIT"}
    assert all(len(r["sha256"]) == 64 for r in manifest)
    assert len(split(manifest, out)) == 12


@pytest.mark.parametrize("moved", ["iBeans", "iBeans=", "Beans=elsewhere/beans"])
def test_a_moved_set_that_is_not_named_is_refused(moved: str, tmp_path: Path) -> None:
    done = run("download", "--out", tmp_path / "photos", "--from", moved)
    assert done.exit_code == 2
    assert "iBeans, PlantVillage, Cassava" in done.output


def test_the_commit_that_was_fetched_is_recorded(
    hub: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub is outside the building: it says which commit `main` is now."""
    datasets = pytest.importorskip("datasets")
    folder, asked = local_source(hub), []
    here = datasets.load_dataset

    def from_hub(name: str, revision: str, **options: str) -> object:
        asked.append((name, revision))
        return here(folder.repository, **options)

    monkeypatch.setattr(datasets, "load_dataset", from_hub)
    monkeypatch.setattr(
        HfApi, "dataset_info", lambda _self, _name, revision: DatasetInfo(id="x", sha="5ca1ab1e")
    )
    download(tmp_path / "photos", [replace(folder, repository="farm/beans")], per_class=1)
    assert asked == [("farm/beans", "5ca1ab1e")]
    assert {r["source_repo"] for r in read_manifest(tmp_path / "photos")} == {"farm/beans@5ca1ab1e"}


def test_download_refuses_labels_it_does_not_know(hub: Path, tmp_path: Path) -> None:
    source = replace(local_source(hub), classes={"rot": ("other", "rot")})
    with pytest.raises(DataError, match=r"no rot; its labels are angular_leaf_spot"):
        download(tmp_path / "photos", [source])


def test_download_says_when_a_set_cannot_be_had(hub: Path, tmp_path: Path) -> None:
    source = replace(SOURCES[0], repository=str(tmp_path / "nothing-here"))
    with pytest.raises(DataError, match="cannot be had"):
        download(tmp_path / "photos", [source])


def test_likeness_joins_what_is_near_to_a_neighbour() -> None:
    def hashed(bits: int) -> list[int]:
        return [(1 << bits) - 1] * 8

    hashes = np.array([hashed(0), hashed(40), hashed(8), hashed(16)], np.uint64)
    assert group_by_likeness(hashes, near=8) == [0, 1, 0, 0]
