"""Where backups lie: a folder or a bucket, by what fsspec speaks to.

NAME/manifest.json         written last: without it there is no backup of that name
NAME/store.age             the store
NAME/erasures.age          the book of erasures
NAME/photos.gz             addresses of its photos, a line each
photos/KEY/AB/ADDRESS      photos, sealed with that key, each once for all backups
"""

from __future__ import annotations

import gzip
import hashlib
import re
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from fsspec.implementations.local import LocalFileSystem

from gateway.backup import BackupError
from gateway.store.photos import files_at

MANIFEST, STORE, ERASURES, PHOTO_LIST = "manifest.json", "store.age", "erasures.age", "photos.gz"
PHOTOS = "photos"
NAME = re.compile(r"\d{8}T\d{6}Z")
BLOCK = 1 << 20


class Place:
    """Raises BackupError for whatever goes wrong there."""

    def __init__(self, url: str) -> None:
        try:
            self._files, root = files_at(url)
        except Exception as error:  # each driver has kinds of its own
            reason = str(error) or type(error).__name__
            raise BackupError(f"{_shown(url)} is no place for backups: {reason}") from None
        self.shown = _shown(url)
        self._root = root.rstrip("/")

    def names(self) -> list[str]:
        """Of the backups that are whole, newest first."""
        return [name for name in self.begun() if self.has(name, MANIFEST)]

    def begun(self) -> list[str]:
        """Of all backups, also of those that broke off, newest first."""
        return [name for name in reversed(self._inside()) if NAME.fullmatch(name)]

    def has(self, *path: str) -> bool:
        with self._saying("read"):
            return bool(self._files.exists(self._path(*path)))

    @contextmanager
    def writing(self, *path: str) -> Iterator[Written]:
        """A file to be written from its beginning to its end, or not at all: a photo that is there
        is not copied again. An object store does so by itself."""
        target = aside = self._path(*path)
        with self._saying("written"):
            if isinstance(self._files, LocalFileSystem):
                self._files.makedirs(self._path(*path[:-1]), exist_ok=True)
                aside = self._path(*path[:-1], f".{secrets.token_hex(8)}")
            with self._files.open(aside, "wb") as file:
                yield Written(file)
            if aside != target:
                self._files.mv(aside, target)

    def write(self, data: bytes, *path: str) -> Written:
        with self.writing(*path) as file:
            file.write(data)
        return file

    @contextmanager
    def reading(self, *path: str) -> Iterator[IO[bytes]]:
        with self._saying("read"), self._files.open(self._path(*path), "rb") as file:
            yield file

    def read(self, *path: str) -> bytes:
        with self.reading(*path) as file:
            return file.read()

    def proof(self, *path: str) -> tuple[int, str]:
        """(bytes, SHA-256 in hex digits) of a file as it lies there."""
        size, digest = 0, hashlib.sha256()
        with self.reading(*path) as file:
            while block := file.read(BLOCK):
                size += len(block)
                digest.update(block)
        return size, digest.hexdigest()

    def photos(self, key: str) -> set[str]:
        """Addresses of the photos that lie there under a key."""
        with self._saying("read"):
            self._files.invalidate_cache()
            found = self._files.find(self._path(PHOTOS, key))
        return {path.rpartition("/")[2] for path in found}

    def photo_keys(self) -> list[str]:
        """Under which photos lie there."""
        return self._inside(PHOTOS)

    def _inside(self, *path: str) -> list[str]:
        """Sorted names of what lies in a folder; none where there is no such folder."""
        with self._saying("read"), suppress(FileNotFoundError):
            self._files.invalidate_cache()
            found = self._files.ls(self._path(*path), detail=False)
            return sorted(one.rstrip("/").rpartition("/")[2] for one in found)
        return []

    def photo(self, key: str, address: str) -> tuple[str, ...]:
        return PHOTOS, key, address[:2], address

    def photo_list(self, name: str) -> list[str]:
        try:
            return gzip.decompress(self.read(name, PHOTO_LIST)).decode().split()
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise BackupError(f"{name}/{PHOTO_LIST} cannot be read: {error}") from None

    def remove(self, *path: str) -> None:
        with self._saying("written"), suppress(FileNotFoundError):
            self._files.rm(self._path(*path), recursive=True)

    def _path(self, *path: str) -> str:
        return "/".join((self._root, *path))

    @contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            missing = str(error.filename or error).removeprefix(self._root)
            raise BackupError(f"there is no {missing} in {self.shown}") from None
        except BackupError:
            raise
        except Exception as error:  # an object store's driver has kinds of its own
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise BackupError(f"{self.shown} cannot be {what}: {reason}") from None


def _shown(url: str) -> str:
    """An address without what may be a password."""
    scheme, mark, rest = url.partition("://")
    place, at, path = rest.partition("@")
    return f"{scheme}{mark}...@{path}" if mark and at and "/" not in place else url


class Written:
    """What is written to a file, with its proof."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def proof(self) -> tuple[int, str]:
        """(bytes, SHA-256 in hex digits)."""
        return self.size, self._digest.hexdigest()
