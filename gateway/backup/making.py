"""Making a backup of a house that runs, and letting old ones go.

Each has a key of its own (age, X25519), sealed with the ring of the house: whoever has the place
alone reads nothing. Photos are sealed with the key that writes and are copied once.
"""

from __future__ import annotations

import base64
import gzip
import json
import tempfile
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import IO

import pyrage
from sqlalchemy.orm import Session

from gateway.backup import BackupError, pictures, reading, snapshot
from gateway.backup.place import ERASURES, MANIFEST, PHOTO_LIST, PHOTOS, STORE, Place
from gateway.store import Store
from gateway.store.base import now
from gateway.store.database import insert_or_set
from gateway.store.models import HouseFact
from gateway.store.photos import PhotoStore

LAST = "backed_up"
"""The house's own note of when it was backed up last."""
STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Made:
    name: str
    rows: int
    photos: int
    """Of the house."""
    copied: int
    """Of these, the ones that no backup had so far."""
    missing: int
    """Of these, the ones that could not be read; they are not in it."""


def make(store: Store, photos: PhotoStore, book: Path, place: Place, scratch: Path) -> Made:
    """Copy the house. What breaks off half-way leaves no backup, and costs no older one.

    Args:
        book: the file of erasures.
        scratch: a folder for the store's copy while it is sealed.

    Raises: BackupError, StoreError, PhotosAway.
    """
    at = now()
    name = at.strftime(STAMP)
    if name in place.begun():
        raise BackupError(f"there is a backup {name} already")
    try:
        made = _make(store, photos, book, place, scratch, at)
    except BaseException:
        with suppress(BackupError):  # else each try would leave a copy of the store there
            place.remove(name)
        raise
    with store.transaction() as session:
        insert_or_set(session, HouseFact, {"name": LAST, "value": at.isoformat()}, "name")
    return made


def _make(
    store: Store, photos: PhotoStore, book: Path, place: Place, scratch: Path, at: datetime
) -> Made:
    name = at.strftime(STAMP)
    identity = pyrage.x25519.Identity.generate()
    key = store.vault.writer.name
    files: dict[str, tuple[int, str]] = {}
    with tempfile.TemporaryDirectory(dir=scratch, prefix="backup-") as folder:
        copy = Path(folder) / "store"
        held = snapshot.take(store, copy)
        with open(copy, "rb") as plain:
            files[STORE] = _seal(plain, place, name, STORE, identity)
    erasures = BytesIO(book.read_bytes() if book.exists() else b"")
    files[ERASURES] = _seal(erasures, place, name, ERASURES, identity)
    copied, missing = _copy_photos(store, photos, place, key, held.photos)
    kept = [address for address in held.photos if address not in missing]
    listed = gzip.compress("".join(f"{address}\n" for address in kept).encode(), mtime=0)
    files[PHOTO_LIST] = place.write(listed, name, PHOTO_LIST).proof
    facts = {
        "identity": str(identity),
        "store": held.kind,
        "revision": held.revision,
        "rows": held.counts,
        "photos": len(kept),
        "missing": len(missing),
        "files": files,
    }
    manifest = {
        "leafline": version("leafline"),
        "made_at": at.isoformat(),
        "key": key,
        "sealed": base64.b64encode(store.vault.seal_text(json.dumps(facts))).decode(),
    }
    place.write(json.dumps(manifest, indent=1).encode(), name, MANIFEST)
    rows = sum(held.counts.values())
    return Made(name, rows, len(held.photos), copied, len(missing))


def last(store: Store) -> datetime | None:
    """When this house was backed up last."""
    with store.reading() as session:
        return last_in(session)


def last_in(session: Session) -> datetime | None:
    """The same, of a session that is open."""
    fact = session.get(HouseFact, LAST)
    return datetime.fromisoformat(fact.value) if fact else None


def let_go(place: Place, keep: int) -> list[str]:
    """Delete all but the newest backups, what broke off before the oldest of these, and the photos
    that none of these names; the names of those that went. Raises: BackupError."""
    begun, kept = place.begun(), place.names()[:keep]
    gone = [name for name in begun if kept and name < kept[-1]]
    for name in gone:
        place.remove(name, MANIFEST)  # first: what is left is no backup any more
        place.remove(name)
    # One that is being made just now has copied photos that nothing names yet.
    if gone and set(begun) == {*gone, *kept}:
        _sweep_photos(place, kept)
    return gone


def _sweep_photos(place: Place, names: Iterable[str]) -> None:
    named: dict[str, set[str]] = {}
    for name in names:
        key = reading.manifest(place, name).key
        named.setdefault(key, set()).update(place.photo_list(name))
    for key in place.photo_keys():
        if key not in named:
            place.remove(PHOTOS, key)
            continue
        for address in place.photos(key) - named[key]:
            place.remove(*place.photo(key, address))


def _seal(
    plain: IO[bytes], place: Place, name: str, target: str, identity: pyrage.x25519.Identity
) -> tuple[int, str]:
    with place.writing(name, target) as file:
        pyrage.encrypt_io(plain, file, [identity.to_public()])
    return file.proof


def _copy_photos(
    store: Store, photos: PhotoStore, place: Place, key: str, addresses: Collection[str]
) -> tuple[int, set[str]]:
    """(how many were copied, addresses of those that cannot be read)."""
    there = place.photos(key)
    wanted = [address for address in addresses if address not in there]

    def copy(address: str) -> str | None:
        if (data := pictures.read(photos, address)) is None:
            return address
        place.write(store.vault.seal_photo(data), *place.photo(key, address))
        return None

    missing = {address for address in pictures.each(copy, wanted) if address}
    return len(wanted) - len(missing), missing
