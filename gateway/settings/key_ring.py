"""What makes a secret good, and the secrets that are made and kept in the home folder."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from itertools import pairwise
from pathlib import Path

from gateway.settings.errors import SettingsError

FEWEST_DIFFERENT = 8
WRAPPERS = "\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
"""What mail programs, documents and shells put around a secret that is copied out of them."""
KEY = "secret-key"
"""File in the home with the key that writes."""
OLD_KEYS = "old-secret-keys"
"""File in the home, one key a line, newest first."""


def weakness(secret: str, shortest: int) -> str:
    """What makes a secret easy to guess, or empty. What we make ourselves never is."""
    if len(secret) < shortest:
        return f"is shorter than {shortest} characters"
    if len(set(secret)) < FEWEST_DIFFERENT:
        return f"has fewer than {FEWEST_DIFFERENT} different characters"
    if any(secret == (secret[:n] * len(secret))[: len(secret)] for n in range(1, len(secret) // 2)):
        return "repeats itself"
    steps = Counter(ord(b) - ord(a) for a, b in pairwise(secret))
    if max(steps.values()) > len(secret) / 2:
        return "runs through the alphabet"
    return ""


def unwrapped(value: str) -> str:
    """A secret without the blanks, line ends, invisible letters and quotes around it.

    Raises: ValueError when one is left inside that no secret has, without repeating it.
    """
    edge = {char for char in value if not char.isprintable() or char.isspace()} | set(WRAPPERS)
    bare = value.strip("".join(edge))
    if any(not char.isprintable() or (char in WRAPPERS and not char.isascii()) for char in bare):
        raise ValueError("has a line end, a curly quote or an invisible letter in it; copy it anew")
    return bare


def made() -> str:
    """A fresh secret."""
    return secrets.token_urlsafe(32)


def kept(home: Path, path: Path, fresh: str) -> str:
    """The secret in a file of the home (mode 0600), `fresh` on first use.

    Raises: SettingsError: the home cannot be written, or the file is empty.
    """
    try:
        for folder in (home, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            # Written aside, then linked: of processes that start at once one makes the
            # secret, and none reads it half written.
            aside = _aside(path, fresh)
            try:
                os.link(aside, path)
            except FileExistsError:
                pass
            finally:
                aside.unlink()
    except OSError as error:
        raise SettingsError(
            f"cannot write {path}: {error.strerror}; set LEAFLINE_HOME elsewhere"
        ) from None
    value = path.read_text().strip()
    if not value:
        raise SettingsError(f"{path} is empty; restore it, or delete it if the store is new too")
    return value


def write_secret(path: Path, text: str) -> None:
    """A file of mode 0600 in place of another, whole or not at all. Raises: SettingsError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.replace(_aside(path, text), path)
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}") from None


def _aside(path: Path, text: str) -> Path:
    """A new file beside that of a secret, on the disk for good. Raises: OSError."""
    aside = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return aside


def key(home: Path) -> str:
    """The key that writes. Raises: SettingsError."""
    return kept(home, home / KEY, made())


def old_keys(home: Path) -> tuple[str, ...]:
    """Keys of so far, newest first."""
    path = home / OLD_KEYS
    return tuple(path.read_text().split()) if path.is_file() else ()


def change_key(home: Path) -> None:
    """Make another key the one that writes; the one of so far is still read.

    Raises: SettingsError: the home cannot be written.
    """
    before = dict.fromkeys((key(home), *old_keys(home)))
    write_secret(home / OLD_KEYS, "".join(f"{old}\n" for old in before))
    write_secret(home / KEY, made())
