"""Fields of a provider's request as far as we can keep them, and its ids as keys of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from gateway import words

FIELD_LONGEST = 200
DATES = ("%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S")


def cut(given: Iterable[tuple[str, str]], longest: Mapping[str, int]) -> dict[str, str]:
    """Each field cut to its length in letters, FIELD_LONGEST where none is named."""
    return {
        name[:FIELD_LONGEST]: words.clean(value[: longest.get(name, FIELD_LONGEST)])
        for name, value in given
    }


def moment(value: str, now: datetime) -> datetime:
    """A date in any of the three forms seen, read as UTC; `now` when it is none of them."""
    for pattern in DATES:
        try:
            read = datetime.strptime(value.strip(), pattern)  # noqa: DTZ007 - zone put below
        except ValueError:
            continue
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    return now


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
