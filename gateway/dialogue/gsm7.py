"""The GSM 7-bit default alphabet (3GPP TS 23.038): counting, splitting, folding, cutting.

A message in this alphabet holds 160 septets, or 153 a part when joined; one letter outside it
turns the whole message into UCS-2 and leaves 70. So nothing leaves Leafline outside the alphabet.
"""

from __future__ import annotations

import re
import unicodedata

SINGLE = 160
JOINED = 153

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
"""Letters sent as an escape and a second septet."""

_SPACES = "\t\v\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_INVISIBLE = "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\ufeff" + "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2060, 0x206A), *range(0xFE00, 0xFE10)))
)

_TYPOGRAPHY = (
    dict.fromkeys(_INVISIBLE, "")
    | dict.fromkeys(_SPACES, " ")
    | dict.fromkeys("\u0085\u2028\u2029", "\n")
    | dict.fromkeys("`´ʹʻʼʽˈ‘’‚‛′‵＇", "'")
    | dict.fromkeys("“”„‟″«»＂", '"')
    | dict.fromkeys("‹", "<")
    | dict.fromkeys("›", ">")
    | dict.fromkeys("‐‑‒–—―−﹣－•·‣◦∙", "-")
    | {"…": "...", "×": "x", "÷": "/", "⁄": "/", "°": " deg ", "№": "No ", "₦": "NGN ", "™": "TM"}
    | {"½": "1/2", "¼": "1/4", "¾": "3/4"}
)

# Letters outside the alphabet and how they are written without it. French drops the accent, Luganda
# eng is ng', the hooked letters of Hausa and the dotted ones of Yoruba and Igbo lose the mark, as
# people type them on a plain keypad. Every line here is still to be confirmed by a speaker.
_RESPELLING = (
    {"ŋ": "ng'", "Ŋ": "Ng'", "œ": "oe", "Œ": "OE", "ÿ": "y", "Ÿ": "Y", "ç": "c"}
    | dict(zip("âêîôûëïÂÊÎÔÛËÏÀÈÙ", "aeioueiAEIOUEIAEU", strict=True))
    | dict(zip("ɓɗƙƁƊƘ", "bdkBDK", strict=True))
    | {"ƴ": "'y", "Ƴ": "'Y"}
    | dict(zip("ẹọṣẸỌṢịụṅỊỤṄ", "eosEOSiunIUN", strict=True))
    | dict(zip("áíóúńǹÁÍÓÚŃǸÌÒ", "aiounnAIOUNNIO", strict=True))
    | dict.fromkeys("\u0300\u0301\u0304\u0323", "")  # tone marks that no single letter carries
    | dict(zip("āēīōūĀĒĪŌŪãõÃÕ", "aeiouAEIOUaoAO", strict=True))
)

FOLD = _TYPOGRAPHY | _RESPELLING
"""What `fold` writes for a letter outside the alphabet."""


class NotGsm(ValueError):
    """A text has letters that the GSM alphabet lacks and that no table respells.

    `letters` holds each once, in order of appearance.
    """

    def __init__(self, letters: str) -> None:
        self.letters = letters
        named = ", ".join(
            f"{c} (U+{ord(c):04X})" if c.isprintable() else f"U+{ord(c):04X}" for c in letters
        )
        super().__init__(f"not in the GSM alphabet: {named}")


def outside(text: str) -> str:
    """The letters of `text` outside the alphabet, each once."""
    return "".join(dict.fromkeys(c for c in text if c not in BASIC and c not in EXTENSION))


def septets(text: str) -> int:
    """Length on the air; a letter of the extension table counts two.

    Raises:
        NotGsm: a letter is outside the alphabet.
    """
    if BASIC.issuperset(text):
        return len(text)
    if letters := outside(text):
        raise NotGsm(letters)
    return len(text) + sum(c in EXTENSION for c in text)


def parts(text: str) -> list[str]:
    """The parts in which `text` is sent: one of up to 160 septets, or several of up to 153.

    An escape and the letter it belongs to stay in one part, so a part may hold 152.

    Raises:
        NotGsm: a letter is outside the alphabet.
    """
    if septets(text) <= SINGLE:
        return [text]
    found, start, used = [], 0, 0
    for position, letter in enumerate(text):
        width = 2 if letter in EXTENSION else 1
        if used + width > JOINED:
            found.append(text[start:position])
            start, used = position, 0
        used += width
    return [*found, text[start:]]


def fold(text: str) -> str:
    """`text` in the alphabet: signs folded, letters respelt, nothing lost silently.

    Raises:
        NotGsm: letters remain that neither table knows.
    """
    folded = "".join(FOLD.get(c, c) for c in unicodedata.normalize("NFC", text))
    if letters := outside(folded):
        raise NotGsm(letters)
    return folded


def cut(text: str, limit: int) -> str:
    """The longest beginning of `text` of at most `limit` septets that ends with a whole word.

    A first word longer than the limit is cut inside.

    Raises:
        NotGsm: a letter is outside the alphabet.
    """
    if septets(text) <= limit:
        return text
    used = end = 0
    for end, letter in enumerate(text):  # noqa: B007 - `end` is the result
        used += 2 if letter in EXTENSION else 1
        if used > limit:
            break
    head = text[:end]
    if not text[end].isspace() and (words := re.match(r"(.*\S)\s+\S*\Z", head, re.DOTALL)):
        head = words[1]
    return head.rstrip()
