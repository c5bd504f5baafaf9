"""Where photos lie: content-addressed, sealed, behind a few methods.

A place that is away, whatever the reason, is told from a photo that is missing: the first passes.
"""

from __future__ import annotations

import errno
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

import fsspec

from gateway.store.budget import Rest, waiting
from gateway.store.vault import Vault

T = TypeVar("T")

SECONDS = 4.0
"""For one question to an object store; all of a request or job have what patience leaves."""
AT_ONCE = 8
"""Questions of one process; those that hang hold no more of its threads than this."""
S3 = {"config_kwargs": {"connect_timeout": 3, "read_timeout": 4, "retries": {"max_attempts": 1}}}
"""botocore's own limits are a minute and five tries: its threads would outlive ours by far."""
LOCAL = ("file", "local")
MARK, WITNESS = "leafline-house", "leafline-photos"
"""Lie beside the photos: whose they are, and that this is a place of photos at all."""
OWN_FAULTS = (errno.EIO, errno.EACCES, errno.EPERM)
"""Of one file, where the folder around it can be read."""


class PhotoMissing(Exception):
    """No photo lies at this address."""


class PhotoStoreError(Exception):
    """The photo store cannot be used; the text is one line that says what to do."""


class PhotosAway(PhotoStoreError):
    """The place where photos lie cannot be read or written just now."""


class PhotoStore(Protocol):
    """An address is the keyed digest of the bytes: equal photos have one address, and nobody
    without the key can tell whether a known picture is in the store."""

    def put(self, data: bytes) -> str:
        """Keep the bytes and return their address; on disk when this returns."""

    def get(self, address: str) -> bytes:
        """Raises: PhotoMissing, SealBroken, PhotosAway; OSError for a fault of this file alone."""

    def seal_anew(self, address: str) -> bool:
        """Seal the photo with the key that writes; False when it is already.

        Raises: PhotoMissing, SealBroken, PhotoStoreError."""

    def delete(self, address: str) -> None:
        """Forget the photo; nothing happens when there is none."""

    def addresses(self) -> Iterator[str]:
        """Those of everything kept. Of a bucket that takes long: no sweep asks."""

    def tidy(self, before: float) -> int:
        """Remove what was begun before a Unix time and never written to its end; how many."""

    def mark(self) -> str:
        """What `set_mark` wrote last, also through another process; empty before the first.

        Raises: PhotosAway."""

    def set_mark(self, text: str) -> None:
        """Write a line beside the photos. Raises: PhotoStoreError."""


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
        if not path.exists():
            self._write(path, self._vault.seal_photo(data))
        return address

    def _write(self, path: Path, data: bytes) -> None:
        aside = path.with_name(f".{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(aside, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
            _sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise PhotoStoreError(
                f"photos cannot be written to {self._root}: {error.strerror}"
            ) from error

    def seal_anew(self, address: str) -> bool:
        path = self._path(address)
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            self._check()
            raise PhotoMissing(address) from None
        if self._vault.is_current(sealed):
            return False
        self._write(path, self._vault.seal_photo(self._vault.open_photo(sealed)))
        return True

    def get(self, address: str) -> bytes:
        try:
            return self._vault.open_photo(self._path(address).read_bytes())
        except FileNotFoundError:
            self._check()
            raise PhotoMissing(address) from None
        except OSError as error:
            if error.errno in OWN_FAULTS:
                self._check()
                raise
            raise PhotosAway(f"{self._root} cannot be read: {error.strerror}") from error

    def _check(self) -> None:
        """Raises: PhotosAway when the folder as a whole is gone, such as a disk that is not
        mounted: what is missing then is no photo."""
        try:
            with os.scandir(self._root) as entries:
                if next(entries, None) is not None:
                    return
        except OSError as error:
            raise PhotosAway(f"{self._root} cannot be read: {error.strerror}") from error
        raise PhotosAway(f"{self._root} is empty: is its disk mounted?")

    def delete(self, address: str) -> None:
        self._path(address).unlink(missing_ok=True)

    def addresses(self) -> Iterator[str]:
        for path in self._root.glob("??/*"):
            if not path.name.startswith("."):
                yield path.name

    def tidy(self, before: float) -> int:
        removed = 0
        for path in self._root.glob("??/.*"):
            with suppress(FileNotFoundError):  # just renamed to what it was written for
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed

    def mark(self) -> str:
        try:
            return (self._root / MARK).read_text(errors="replace").strip()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise PhotosAway(f"{self._root} cannot be read: {error.strerror}") from error

    def set_mark(self, text: str) -> None:
        self._write(self._root / MARK, text.encode())


class Bucket:
    """Photos in an object store, such as S3: whatever fsspec speaks to.

    An object is written whole or not at all, so nothing needs to be written aside. Each question
    has a thread and a time limit; after a silence nobody asks for a moment.
    """

    def __init__(self, url: str, vault: Vault) -> None:
        """Raises: PhotoStoreError when the URL is not understood or its driver is missing."""
        scheme = url.partition("://")[0]
        self._local = scheme in LOCAL
        more = S3 if scheme in ("s3", "s3a") else {}
        try:
            self._files, root = files_at(url, **more)
        except (ValueError, ImportError) as error:
            raise PhotoStoreError(f"LEAFLINE_PHOTOS_URL: {error}") from None
        if more:
            self._files.retries = 1
        self._root = root.rstrip("/")
        self._vault = vault
        self._free = threading.Semaphore(AT_ONCE)
        self._rest = Rest()
        self._witnessed = False

    def _path(self, address: str) -> str:
        return f"{self._root}/{address[:2]}/{address}"

    def _ask(self, what: Callable[..., T], *words: Any, **named: Any) -> T:
        """Raises: FileNotFoundError, PhotosAway."""
        if not self._rest.over():
            raise PhotosAway("the photo store did not answer just now")
        with waiting(SECONDS) as left:
            seconds = min(left, SECONDS)
            if not self._free.acquire(timeout=seconds):
                raise PhotosAway("the photo store is still busy with earlier questions")
            answer: Future[T] = Future()

            def work() -> None:
                try:
                    answer.set_result(what(*words, **named))
                except BaseException as error:
                    answer.set_exception(error)
                finally:
                    self._free.release()

            threading.Thread(target=work, name="photo-store", daemon=True).start()
            try:
                found = answer.result(timeout=seconds)
            except TimeoutError as error:
                self._rest.begin()
                raise PhotosAway(f"the photo store did not answer in {seconds:.0f} s") from error
            except FileNotFoundError:
                self._rest.end()
                raise
            except Exception as error:
                if not answer.done():
                    raise  # from outside, such as the time limit of a job
                raise PhotosAway(
                    f"the photo store cannot be used: {type(error).__name__}: {error}"
                ) from error
        self._rest.end()
        return found

    def put(self, data: bytes) -> str:
        """Raises: PhotoStoreError."""
        address = self._vault.digest(data)
        self._write(self._path(address), self._vault.seal_photo(data))
        if not self._witnessed:
            self._write(f"{self._root}/{WITNESS}", b"photos of Leafline, sealed\n")
            self._witnessed = True
        return address

    def seal_anew(self, address: str) -> bool:
        sealed = self._read(address)
        if self._vault.is_current(sealed):
            return False
        self._write(self._path(address), self._vault.seal_photo(self._vault.open_photo(sealed)))
        return True

    def _write(self, path: str, data: bytes) -> None:
        """Folders are made where the kind of store has any; a bucket never is: a name that is
        mistyped would be found out when the photos are looked for."""
        folder = path.rpartition("/")[0]
        try:
            if self._local:
                self._ask(self._files.makedirs, folder, exist_ok=True)
            try:
                self._ask(self._files.pipe_file, path, data)
            except FileNotFoundError:
                self._ask(self._files.mkdir, folder, create_parents=False)
                self._ask(self._files.pipe_file, path, data)
        except FileNotFoundError:
            raise PhotoStoreError(
                f"there is no {self._root} in the photo store: make it, or correct "
                "LEAFLINE_PHOTOS_URL"
            ) from None

    def get(self, address: str) -> bytes:
        return self._vault.open_photo(self._read(address))

    def _read(self, address: str) -> bytes:
        try:
            return bytes(self._ask(self._files.cat_file, self._path(address)))
        except FileNotFoundError:
            self._check()
            raise PhotoMissing(address) from None

    def _check(self) -> None:
        """Raises: PhotosAway when nothing at all is there: a bucket that is gone has no photos to
        miss."""
        with suppress(FileNotFoundError):
            self._ask(self._files.cat_file, f"{self._root}/{WITNESS}")
            return
        with suppress(FileNotFoundError):  # one of before there was a witness
            if self._ask(self._files.ls, self._root, detail=False, refresh=True):
                return
        raise PhotosAway(f"there is nothing in {self._root}: is it the right one?")

    def delete(self, address: str) -> None:
        with suppress(FileNotFoundError):
            self._ask(self._files.rm_file, self._path(address))

    def addresses(self) -> Iterator[str]:
        self._files.invalidate_cache()
        for path in self._files.find(self._root):
            if (name := path.rpartition("/")[2]) not in (MARK, WITNESS):
                yield name

    def tidy(self, before: float) -> int:
        return 0

    def mark(self) -> str:
        try:
            data = self._ask(self._files.cat_file, f"{self._root}/{MARK}")
        except FileNotFoundError:
            return ""
        return bytes(data).decode(errors="replace").strip()

    def set_mark(self, text: str) -> None:
        self._write(f"{self._root}/{MARK}", text.encode())


def files_at(url: str, **options: Any) -> tuple[Any, str]:
    """(file system, path) of an fsspec URL or a folder. Of a folder the rest is its name, whatever
    `::` or `*` would mean elsewhere.

    Raises: whatever the driver does; ValueError or ImportError when there is none.
    """
    scheme, mark, rest = url.partition("://")
    if scheme in LOCAL or not mark:
        return fsspec.filesystem("file"), rest if mark else url
    files, path = fsspec.core.url_to_fs(url, **options)
    return files, str(path)


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
