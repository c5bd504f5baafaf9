"""Text that comes in from outside, at whichever door."""

from __future__ import annotations

import re
import unicodedata

_SINGLE = "\u2018\u2019\u201a\u201b\u2039\u203a\u02bb\u02bc\u2032\uff07\u0060\u00b4"
_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\uff02"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_FOLDED = str.maketrans(
    dict.fromkeys(_SINGLE, "'") | dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_HYPHENS, "-")
)
_PICTURE_STYLE = re.compile("[\u034f\u115f\u1160\u180b-\u180d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Letters that no phone shows and that are no format letters by their category."""


def clean(text: str) -> str:
    """Without NUL, which PostgreSQL refuses, and without halves of surrogate pairs, which no
    encoding can write. Everything else stays, line ends too."""
    if text.isascii():
        return text.replace("\0", "") if "\0" in text else text
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def typed(text: str) -> str:
    """As a person meant it who typed it or copied it out of a chat or a contact card: without
    letters that nobody sees (bidirectional marks, joiners, soft hyphens, byte order marks), and
    with plain hyphens, quotation marks and blanks. Line ends stay; twice does as once."""
    if text.isascii():
        return clean(text)
    kept = "".join(
        " " if (kind := unicodedata.category(c)) == "Zs" else "" if kind == "Cf" else c
        for c in clean(text)
    )
    return _PICTURE_STYLE.sub("", kept).translate(_FOLDED)


def line(text: str) -> str:
    """One line: control and format characters out, any run of blanks and line ends one blank."""
    kept = (c if unicodedata.category(c)[0] != "C" or c.isspace() else "" for c in typed(text))
    return " ".join("".join(kept).split())


def unaccented(text: str) -> str:
    """Letters as they are without their accents, ligatures as the letters that they are of."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c))


def one_slip(typed: str, meant: str) -> bool:
    """Whether one letter was changed, dropped, added or swapped with its neighbour."""
    if abs(len(typed) - len(meant)) > 1:
        return False
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    left, right = typed[start:], meant[start:]
    return (
        left[1:] == right[1:]
        or left == right[1:]
        or left[1:] == right
        or (left[:2] == right[:2][::-1] and left[2:] == right[2:])
    )


def plain(text: str) -> str:
    """Capitals without accents or punctuation, one blank between words."""
    return re.sub(r"[\W_]+", " ", unaccented(text)).strip().upper()


def word_set(*rows: str) -> frozenset[str]:
    """Every word of these rows, for tables of words."""
    return frozenset(word for row in rows for word in row.split())
