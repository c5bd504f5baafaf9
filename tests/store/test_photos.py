from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from gateway.store.photos import Folder, PhotoMissing, PhotoStore, PhotoStoreError, open_photos
from gateway.store.vault import SealBroken, Vault


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "photos", Vault("k" * 40))


@pytest.fixture(params=["", "file", "memory"])
def photos(request: pytest.FixtureRequest, tmp_path: Path) -> PhotoStore:
    """The folder of the home, and object stores through fsspec."""
    urls = {"": "", "file": f"file://{tmp_path / 'bucket'}", "memory": f"memory://{tmp_path}"}
    return open_photos(urls[request.param], tmp_path, Vault("k" * 40))


def _files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "photos").rglob("*") if path.is_file()]


def test_a_photo_is_kept_once_under_its_content(photos: PhotoStore) -> None:
    address = photos.put(b"a leaf")
    assert photos.put(b"a leaf") == address
    assert photos.get(address) == b"a leaf"
    assert list(photos.addresses()) == [address]


def test_a_deleted_photo_is_missing_and_deleting_again_is_fine(photos: PhotoStore) -> None:
    address = photos.put(b"a leaf")
    photos.delete(address)
    photos.delete(address)
    with pytest.raises(PhotoMissing):
        photos.get(address)


def test_a_photo_is_sealed(folder: Folder, tmp_path: Path) -> None:
    folder.put(b"a leaf")
    (file,) = _files(tmp_path)
    assert b"a leaf" not in file.read_bytes()


@pytest.mark.parametrize("url", ["nonsense://bucket", "s3://bucket/photos"])
def test_a_store_without_a_driver_says_so(url: str, tmp_path: Path) -> None:
    with pytest.raises(PhotoStoreError, match="LEAFLINE_PHOTOS_URL"):
        open_photos(url, tmp_path, Vault("k" * 40))


def test_a_damaged_file_is_noticed(folder: Folder, tmp_path: Path) -> None:
    address = folder.put(b"a leaf")
    (file,) = _files(tmp_path)
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(SealBroken):
        folder.get(address)


def test_a_full_disk_leaves_nothing_behind(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PhotoStoreError, match="No space left"):
        folder.put(b"a leaf")
    assert _files(tmp_path) == []


def test_what_a_kill_left_half_written_is_removed_once_it_is_old(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_from: Path, _to: Path) -> None:
        raise KeyboardInterrupt

    address = folder.put(b"a leaf")
    with monkeypatch.context() as death:
        death.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            folder.put(b"another leaf")
    assert len(_files(tmp_path)) == 2
    assert folder.tidy(time.time() - 60) == 0
    assert folder.tidy(time.time() + 60) == 1
    assert [path.name for path in _files(tmp_path)] == [address]


def test_there_is_nothing_half_written_where_photos_are_whole(photos: PhotoStore) -> None:
    address = photos.put(b"a leaf")
    assert photos.tidy(time.time() + 60) == 0
    assert photos.get(address)
