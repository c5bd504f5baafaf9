"""Fields of a provider's request as far as we can keep them."""

from __future__ import annotations

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
