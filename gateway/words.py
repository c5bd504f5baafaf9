"""Text that comes in from outside, at whichever door."""

from __future__ import annotations

import unicodedata


def clean(text: str) -> str:
    """Without NUL, which PostgreSQL refuses, and without halves of surrogate pairs, which no
    encoding can write. Everything else stays, line ends too."""
    if text.isascii():
        return text.replace("\0", "") if "\0" in text else text
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def line(text: str) -> str:
    """One line: control and format characters out, any run of blanks and line ends one blank."""
    kept = (c if unicodedata.category(c)[0] != "C" or c.isspace() else "" for c in text)
    return " ".join("".join(kept).split())
