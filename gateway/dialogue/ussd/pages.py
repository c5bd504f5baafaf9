"""Cutting a screen into pages that every phone shows whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import SCREEN_LIMIT

_WORD = re.compile(r"(\s*)(\S+)")


@dataclass(frozen=True)
class Footer:
    """The standing keys as they read in the farmer's language; empty ones are not offered."""

    more: str
    back: str
    menu: str


def paginate(
    body: str, lines: Sequence[str], footer: Footer, limit: int = SCREEN_LIMIT
) -> list[str]:
    """Lay out text and option lines on as few pages as hold them, each within `limit` septets.

    Text is cut at words, an option line never. Every page but the last offers `footer.more`, every
    page `footer.back`; `footer.menu` is left out where it would cost a page.
    """
    units = [(_gap(gap), word) for gap, word in _WORD.findall(body)]
    units += [("\n", gsm7.cut(line, limit // 2)) for line in lines]
    last = _joined(footer.back, footer.menu)
    whole = _fill(units)
    if _fits(whole, last, limit):
        return [_joined(whole, last)]
    pages: list[str] = []
    while units:
        if _fits(_fill(units), footer.back, limit):
            return [*pages, _joined(_fill(units), footer.back)]
        standing = _joined(footer.more, footer.back)
        taken = len(units)
        while taken > 1 and not _fits(_fill(units[:taken]), standing, limit):
            taken -= 1
        page = gsm7.cut(_fill(units[:taken]), limit - gsm7.septets(standing) - 1)
        pages.append(_joined(page, standing))
        units = units[taken:]
    return pages


def _gap(blanks: str) -> str:
    return "\n" if "\n" in blanks else " "


def _fill(units: Sequence[tuple[str, str]]) -> str:
    return "".join(gap + word for gap, word in units).lstrip()


def _joined(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def _fits(text: str, standing: str, limit: int) -> bool:
    return gsm7.septets(_joined(text, standing)) <= limit
