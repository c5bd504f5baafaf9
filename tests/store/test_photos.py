from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gateway.store.photos import Folder, PhotoMissing, PhotoStoreError
from gateway.store.vault import SealBroken, Vault


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "photos", Vault("k" * 40))


def _files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "photos").rglob("*") if path.is_file()]


def test_a_photo_is_kept_once_under_its_content_and_sealed(folder: Folder, tmp_path: Path) -> None:
    address = folder.put(b"a leaf")
    assert folder.put(b"a leaf") == address
    assert folder.get(address) == b"a leaf"
    (file,) = _files(tmp_path)
    assert b"a leaf" not in file.read_bytes()
    assert [name for name, _ in folder.addresses()] == [address]


def test_a_deleted_photo_is_missing_and_deleting_again_is_fine(folder: Folder) -> None:
    address = folder.put(b"a leaf")
    folder.delete(address)
    folder.delete(address)
    with pytest.raises(PhotoMissing):
        folder.get(address)


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
