"""Reading `text`: the whole path typed so far, joined by `*`, with no turn number.

A `*` that the farmer typed looks like the separator, so a new answer is what follows the path as
it was. Only digests of earlier paths are kept: an officer's PIN is part of one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

LONGEST = 1500
"""Characters of a path that we read; a session lasts 180 seconds, an answer 90 characters."""


@dataclass(frozen=True)
class Mark:
    """A path, remembered without its content."""

    length: int
    digest: str

    @classmethod
    def of(cls, text: str) -> Mark:
        return cls(len(text), digest(text))

    def answer_in(self, text: str) -> str | None:
        """What was typed since, or None when `text` does not go on from here."""
        if self.length == 0:
            return text
        head, tail = text[: self.length], text[self.length :]
        return tail[1:] if tail.startswith("*") and digest(head) == self.digest else None


def digest(text: str) -> str:
    """Names a path within its session."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def segments(text: str) -> list[str]:
    """The answers of a path of which nothing is known but itself."""
    return text.split("*") if text else []
