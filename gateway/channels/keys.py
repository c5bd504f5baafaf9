"""Ids of other people's systems as keys of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def as_key(value: str, longest: int) -> str:
    """The id itself, or a digest of it (71 characters) where it is too long."""
    if len(value) <= longest:
        return value
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()


def within(value: str, longest: int) -> str:
    """The id itself, or as much of a digest of it as fits."""
    return as_key(value, longest)[:longest]


def key_of(given: str, parts: Iterable[str], longest: int) -> str:
    """The id of a message as a key; for one without, a digest of all its parts, so that a repeat is
    known."""
    if given := given.strip():
        return as_key(given, longest)
    return as_key("\x1f".join(parts).ljust(longest + 1), longest)
