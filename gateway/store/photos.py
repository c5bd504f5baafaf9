"""Where photos lie: content-addressed, sealed, behind four methods."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

import fsspec

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

    def seal_anew(self, address: str) -> bool:
        """Seal the photo with the key that writes; False when it is already.

        Raises: PhotoMissing, SealBroken, PhotoStoreError."""

    def delete(self, address: str) -> None:
        """Forget the photo; nothing happens when there is none."""

    def addresses(self) -> Iterator[tuple[str, float]]:
        """(address, time of writing as a Unix time) of everything kept."""

    def tidy(self, before: float) -> int:
        """Remove what was begun before a Unix time and never written to its end; how many."""


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
        self._write(path, data)
        return address

    def _write(self, path: Path, data: bytes, written: float | None = None) -> None:
        """`written`: the time of writing that it keeps, where it is not now."""
        aside = path.with_name(f".{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(aside, "xb") as file:
                file.write(self._vault.seal_photo(data))
                file.flush()
                os.fsync(file.fileno())
            if written is not None:
                os.utime(aside, (written, written))
            os.replace(aside, path)
            _sync_folder(path.parent)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise PhotoStoreError(
                f"photos cannot be written to {self._root}: {error.strerror}"
            ) from error

    def seal_anew(self, address: str) -> bool:
        path = self._path(address)
        try:
            sealed, written = path.read_bytes(), path.stat().st_mtime
        except FileNotFoundError:
            raise PhotoMissing(address) from None
        if self._vault.is_current(sealed):
            return False
        self._write(path, self._vault.open_photo(sealed), written)
        return True

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

    def tidy(self, before: float) -> int:
        removed = 0
        for path in self._root.glob("??/.*"):
            with suppress(FileNotFoundError):  # just renamed to what it was written for
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed


class Bucket:
    """Photos in an object store, such as S3: whatever fsspec speaks to.

    An object is written whole or not at all, so nothing needs to be written aside.
    """

    def __init__(self, url: str, vault: Vault) -> None:
        """Raises: PhotoStoreError when the URL is not understood or its driver is missing."""
        scheme, _, rest = url.partition("://")
        try:
            # Of a folder the rest is its name, whatever `::` or `*` would mean elsewhere.
            local = scheme in ("file", "local")
            self._files, root = (
                (fsspec.filesystem("file"), rest) if local else fsspec.core.url_to_fs(url)
            )
        except (ValueError, ImportError) as error:
            raise PhotoStoreError(f"LEAFLINE_PHOTOS_URL: {error}") from None
        self._root = str(root).rstrip("/")
        self._vault = vault

    def _path(self, address: str) -> str:
        return f"{self._root}/{address[:2]}/{address}"

    def put(self, data: bytes) -> str:
        """Raises: PhotoStoreError."""
        address = self._vault.digest(data)
        self._write(address, data)
        return address

    def _write(self, address: str, data: bytes) -> None:
        try:
            self._files.makedirs(f"{self._root}/{address[:2]}", exist_ok=True)
            self._files.pipe_file(self._path(address), self._vault.seal_photo(data))
        except OSError as error:
            raise PhotoStoreError(f"the photo store cannot be written: {error}") from error

    def seal_anew(self, address: str) -> bool:
        try:
            sealed = bytes(self._files.cat_file(self._path(address)))
        except FileNotFoundError:
            raise PhotoMissing(address) from None
        if self._vault.is_current(sealed):
            return False
        self._write(address, self._vault.open_photo(sealed))
        return True

    def get(self, address: str) -> bytes:
        try:
            return self._vault.open_photo(bytes(self._files.cat_file(self._path(address))))
        except FileNotFoundError:
            raise PhotoMissing(address) from None

    def delete(self, address: str) -> None:
        with suppress(FileNotFoundError):
            self._files.rm_file(self._path(address))

    def addresses(self) -> Iterator[tuple[str, float]]:
        for path, info in self._files.find(self._root, detail=True).items():
            written = info.get("LastModified") or info.get("created") or info.get("mtime") or 0.0
            at = written.timestamp() if isinstance(written, datetime) else float(written)
            yield path.rpartition("/")[2], at

    def tidy(self, before: float) -> int:
        return 0


def open_photos(url: str, home: Path, vault: Vault) -> PhotoStore:
    """The photo store that the settings name. Raises: PhotoStoreError."""
    return Bucket(url, vault) if url else Folder(home / "photos", vault)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
