"""Cutting a screen into pages that every phone shows whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import SCREEN_LIMIT

_WORD = re.compile(r"(\s*)(\S+)")


@dataclass(frozen=True)
class Footer:
    """The standing keys as they read in the farmer's language; empty ones are not offered."""

    more: str
    back: str
    menu: str


@dataclass(frozen=True)
class _Unit:
    """What is not cut: a word, or a whole option line, with the gap before it."""

    gap: str
    text: str

    @property
    def width(self) -> int:
        return 1 + gsm7.septets(self.text)


def paginate(
    body: str,
    lines: Sequence[str],
    footer: Footer,
    limit: int = SCREEN_LIMIT,
    *,
    note: str = "",
    noted: int = 0,
) -> list[str]:
    """Lay out text and option lines on as few pages as hold them, each within `limit` septets.

    Text is cut at words, an option line never. Every page but the last offers `footer.more`, every
    page `footer.back`; `footer.menu` is left out where it would cost a page.

    Args:
        note: said at the top of page `noted`, whose lines it pushes on: nothing is left out.

    Raises:
        NotGsm: a letter is outside the alphabet.
    """
    longest = limit // 2
    units = _words(body, longest) + [_Unit("\n", gsm7.cut(line, longest)) for line in lines]
    said = _words(note, longest)
    if not noted:
        units = _under(said, units)
    for last in (_joined(footer.back, footer.menu), footer.back):
        if _taken(units, last, limit) == len(units):
            return [_joined(_fill(units), last)]
    pages = []
    while _taken(units, footer.back, limit) < len(units):
        standing = _joined(footer.more, footer.back)
        taken = _taken(units, standing, limit)
        pages.append(_joined(_fill(units[:taken]), standing))
        units = units[taken:]
        if len(pages) == noted:
            units = _under(said, units)
    return [*pages, _joined(_fill(units), footer.back)]


def _words(text: str, longest: int) -> list[_Unit]:
    return [
        _Unit("\n" if "\n" in gap else " ", gsm7.cut(word, longest))
        for gap, word in _WORD.findall(text)
    ]


def _under(note: list[_Unit], units: list[_Unit]) -> list[_Unit]:
    return [*note, replace(units[0], gap="\n"), *units[1:]] if note and units else note + units


def _taken(units: Sequence[_Unit], standing: str, limit: int) -> int:
    """How many units fit above the standing keys; at least one does."""
    room = limit - gsm7.septets(standing) + (0 if standing else 1)
    for number, unit in enumerate(units):
        room -= unit.width
        if room < 0:
            return number
    return len(units)


def _fill(units: Sequence[_Unit]) -> str:
    return "".join(unit.gap + unit.text for unit in units)[1:]


def _joined(*texts: str) -> str:
    return "\n".join(text for text in texts if text)
