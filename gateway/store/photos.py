"""Where photos lie: content-addressed, sealed, behind four methods."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from gateway.store.vault import Vault


class PhotoMissing(Exception):
    """No photo lies at this address."""


class PhotoStoreError(Exception):
    """The photo store cannot be used; the text is one line that says what to do."""


class PhotoStore(Protocol):
    """An address is the keyed digest of the bytes: equal photos have one address, and nobody
    without the key can tell whether a known picture is in the store."""

    def put(self, data: bytes) -> str:
        """Keep the bytes and return their address; on disk when this returns."""

    def get(self, address: str) -> bytes:
        """Raises: PhotoMissing, SealBroken."""

    def delete(self, address: str) -> None:
        """Forget the photo; nothing happens when there is none."""

    def addresses(self) -> Iterator[tuple[str, float]]:
        """(address, time of writing as a Unix time) of everything kept."""


class Folder:
    """Photos in a folder, two levels deep, each written aside, synced and renamed."""

    def __init__(self, root: Path, vault: Vault) -> None:
        self._root = root
        self._vault = vault

    def _path(self, address: str) -> Path:
        return self._root / address[:2] / address

    def put(self, data: bytes) -> str:
        """Raises: PhotoStoreError (disk full, folder not writable)."""
        address = self._vault.digest(data)
        path = self._path(address)
        if path.exists():
            os.utime(path)  # fresh again, so that no clean-up of orphans takes it now
            return address
        aside = path.with_name(f".{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(aside, "xb") as file:
                file.write(self._vault.seal_photo(data))
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
            _sync_folder(path.parent)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise PhotoStoreError(
                f"photos cannot be written to {self._root}: {error.strerror}"
            ) from error
        return address

    def get(self, address: str) -> bytes:
        try:
            return self._vault.open_photo(self._path(address).read_bytes())
        except FileNotFoundError:
            raise PhotoMissing(address) from None

    def delete(self, address: str) -> None:
        self._path(address).unlink(missing_ok=True)

    def addresses(self) -> Iterator[tuple[str, float]]:
        for path in self._root.glob("??/*"):
            if not path.name.startswith("."):
                yield path.name, path.stat().st_mtime


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
