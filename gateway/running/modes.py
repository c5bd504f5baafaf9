"""Who may look into the home: nobody but the account that Leafline runs as."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO
FOLDERS = ("photos", "redis", "spool")
FILES = ("*.sqlite3*", "*-key", "old-secret-keys", "erasures", "leafline.lock", "redis.sock")
FOREIGN = stat.S_ISVTX
"""A folder such as /tmp, which is everybody's, is not ours to close."""


def close(home: Path) -> None:
    """Take everybody else's rights on what is ours in an existing home."""
    for path in filter(_is_open, list(_ours(home))):
        with suppress(OSError):  # another account's; doctor says so
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)


def open_to_others(home: Path) -> list[Path]:
    """What others may look into; what lies in a closed folder is closed."""
    return [path for path in _ours(home) if _is_open(path)] if _is_open(home) else []


def _ours(home: Path) -> Iterator[Path]:
    with suppress(OSError):
        if not home.stat().st_mode & FOREIGN:
            yield home
    for name in FOLDERS:
        folder = home / name
        yield folder
        if _is_open(folder):
            for root, folders, files in os.walk(folder):
                yield from (Path(root, found) for found in (*folders, *files))
    for pattern in FILES:
        yield from home.glob(pattern)


def _is_open(path: Path) -> bool:
    try:
        state = path.lstat()
    except OSError:
        return False
    return bool(state.st_mode & OTHERS) and not stat.S_ISLNK(state.st_mode)
