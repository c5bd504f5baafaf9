"""The book of erasures: a file beside the store, which a restored backup does not take back."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

Entry = tuple[str, datetime]
"""Lasting digest of a number, and when everything of it was deleted."""
LINE = re.compile(r"([0-9a-f]{64}) (\S+)")


class Book:
    """Lines are only ever added; several processes may write at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, *entries: Entry) -> None:
        """On disk when this returns. Raises: OSError."""
        if not entries:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{digest} {at.isoformat()}\n" for digest, at in entries)
        mode = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with open(os.open(self._path, mode, 0o600), "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())

    def entries(self) -> set[Entry]:
        """All lines; one that a power cut left half written is passed over."""
        return parse(self._path.read_bytes()) if self._path.is_file() else set()


def parse(text: bytes) -> set[Entry]:
    """The lines of a book."""
    return set(_parse(text.decode(errors="replace")))


def _parse(text: str) -> Iterator[Entry]:
    for line in text.splitlines():
        if found := LINE.fullmatch(line.strip()):
            try:
                at = datetime.fromisoformat(found[2])
            except ValueError:
                continue
            if at.tzinfo is not None:
                yield found[1], at
