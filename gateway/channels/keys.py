"""Ids of other people's systems as keys of ours."""

from __future__ import annotations

import hashlib


def as_key(value: str, longest: int) -> str:
    """The id itself, or a digest of it (71 characters) where it is too long."""
    if len(value) <= longest:
        return value
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()
