"""Reading a backup: whether it is whole, and what is in it."""

from __future__ import annotations

import base64
import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pyrage

from gateway.backup import BackupError, pictures, snapshot
from gateway.backup.place import ERASURES, MANIFEST, STORE, Place
from gateway.store import Store
from gateway.store.vault import SealBroken, Vault

SHOWN = 8
"""Hex digits of a key's name that a person reads."""
SAMPLE = 200
"""Photos that are opened unless all are to be."""


class Manifest(NamedTuple):
    key: str
    """Its name: what sealed the rest, and the photos."""
    made_at: datetime
    sealed: bytes


@dataclass(frozen=True)
class Backup:
    """One backup whose manifest opened."""

    place: Place
    name: str
    made_at: datetime
    key: str
    """Under whose name its photos lie."""
    kind: str
    revision: str
    rows: Mapping[str, int]
    photos: int
    missing: int
    """Photos that could not be read when it was made."""
    files: Mapping[str, tuple[int, str]]
    identity: pyrage.x25519.Identity

    @contextmanager
    def store(self, scratch: Path) -> Iterator[Path]:
        """The snapshot of the store, in the clear for as long as the block runs."""
        with tempfile.TemporaryDirectory(dir=scratch, prefix="backup-") as folder:
            file = Path(folder) / "store"
            with self.place.reading(self.name, STORE) as sealed, open(file, "wb") as plain:
                _open(sealed, plain, self.identity, STORE)
            yield file

    def erasures(self) -> bytes:
        plain = BytesIO()
        with self.place.reading(self.name, ERASURES) as sealed:
            _open(sealed, plain, self.identity, ERASURES)
        return plain.getvalue()

    def addresses(self) -> list[str]:
        return self.place.photo_list(self.name)

    def photo(self, vault: Vault, address: str) -> bytes:
        """Raises: BackupError."""
        try:
            return vault.open_photo(self.place.read(*self.place.photo(self.key, address)))
        except SealBroken as error:
            raise BackupError(f"the photo {address} in the backup is damaged: {error}") from None


def find(place: Place, vault: Vault, name: str = "") -> Backup:
    """The backup of that name, else the newest. Raises: BackupError."""
    names = place.names()
    if not names:
        raise BackupError(f"there is no backup in {place.shown}")
    name = name or names[0]
    if name not in names:
        raise BackupError(
            f"there is no backup {name} in {place.shown}; there are {', '.join(names)}"
        )
    key, made_at, sealed = manifest(place, name)
    try:
        facts = json.loads(vault.open_text(sealed))
    except SealBroken:
        if key in {one.name for one in vault.keys}:
            raise BackupError(f"{name}/{MANIFEST} is damaged") from None
        raise BackupError(
            f"the backup {name} is sealed with the key {key[:SHOWN]}: give it in "
            "LEAFLINE_SECRET_KEY, in LEAFLINE_OLD_SECRET_KEYS or as the file secret-key in the home"
        ) from None
    return Backup(
        place=place,
        name=name,
        made_at=made_at,
        key=key,
        kind=facts["store"],
        revision=facts["revision"],
        rows=facts["rows"],
        photos=facts["photos"],
        missing=facts["missing"],
        files={file: (size, digest) for file, (size, digest) in facts["files"].items()},
        identity=pyrage.x25519.Identity.from_str(facts["identity"]),
    )


def manifest(place: Place, name: str) -> Manifest:
    """What of a backup anybody can read. Raises: BackupError."""
    try:
        found = json.loads(place.read(name, MANIFEST))
        return Manifest(
            str(found["key"]),
            datetime.fromisoformat(found["made_at"]),
            base64.b64decode(found["sealed"], validate=True),
        )
    except (ValueError, KeyError, TypeError):
        raise BackupError(f"{name}/{MANIFEST} is damaged") from None


def check_files(backup: Backup) -> None:
    """Whether everything lies there as it was written, photos by name. Raises: BackupError."""
    for file, proof in backup.files.items():
        if backup.place.proof(backup.name, file) != proof:
            raise BackupError(f"{backup.name}/{file} is not what was written")
    lost = set(backup.addresses()) - backup.place.photos(backup.key)
    if lost:
        raise BackupError(f"{len(lost)} photos of {backup.name} are not there any more")


def verify(backup: Backup, vault: Vault, scratch: Path, *, every_photo: bool = False) -> int:
    """Open everything and count it; how many photos were opened. Raises: BackupError."""
    check_files(backup)
    backup.erasures()
    with backup.store(scratch) as file:
        snapshot.check_readable(backup.kind, file)
        if backup.kind == snapshot.SQLITE:
            with closing(snapshot.opened(file, vault)) as copy:
                check_rows(backup, copy)
    addresses = backup.addresses()
    if not every_photo:
        addresses = random.sample(addresses, min(SAMPLE, len(addresses)))
    pictures.each(lambda address: len(backup.photo(vault, address)), addresses)
    return len(addresses)


def check_rows(backup: Backup, store: Store) -> None:
    """Whether a store holds what the backup says. Raises: BackupError."""
    with store.engine.connect() as connection:
        have = snapshot.counts(connection)
        revision = snapshot.revision(connection)
    if have != dict(backup.rows) or revision != backup.revision:
        wrong = _wrong(have, backup.rows) or [snapshot.REVISIONS]
        raise BackupError(f"the store differs from what was backed up: {', '.join(wrong)}")


def _wrong(have: Mapping[str, int], want: Mapping[str, int]) -> Iterable[str]:
    return [name for name in sorted({*have, *want}) if have.get(name) != want.get(name)]


def _open(sealed: object, plain: object, identity: pyrage.x25519.Identity, file: str) -> None:
    try:
        pyrage.decrypt_io(sealed, plain, [identity])
    except (pyrage.DecryptError, OSError) as error:
        raise BackupError(f"{file} of the backup does not open: {error}") from None
