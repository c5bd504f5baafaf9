"""Case codes: seven characters that survive a phone keypad, a bad line and bad handwriting.

The alphabet has no vowels (no words) and none of the pairs that look alike (0 O, 1 I L, 2 Z,
5 S, 6 G, 8 B, U V). It has 23 characters, a prime number, so that the check character of ISO
7064 (radix 2) finds every single wrong character and every swap of two neighbours.
"""

from __future__ import annotations

import secrets
import unicodedata

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_2

from gateway import words

ALPHABET = "23456789CDFHJKMNPQRTVWX"
LENGTH = 7
_LOOK_ALIKE = str.maketrans("ZSGBU", "2568V")


class BadCode(ValueError):
    """What was typed is no case code: a character is wrong, missing or swapped."""


def new() -> str:
    return checked("".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1)))


def checked(body: str) -> str:
    """The code that begins with these characters: the last one follows from them."""
    return body + mod_37_2.calc_check_digit(body, ALPHABET)


def resembles(typed: str) -> bool:
    """Whether somebody may have meant a code: about as long, and at most one character that is in
    none."""
    text = _capitals(typed).translate(_LOOK_ALIKE)
    return LENGTH - 1 <= len(text) <= LENGTH + 1 and sum(c not in ALPHABET for c in text) <= 1


def parse(typed: str) -> str:
    """The code in its one true form, from any case, with blanks, dots or dashes in it.

    Raises: BadCode.
    """
    code = letters(typed)
    if len(code) != LENGTH:
        raise BadCode("a case code has 7 characters")
    try:
        mod_37_2.validate(code, ALPHABET)
    except ValidationError:
        raise BadCode("this is not a case code; one character may be wrong") from None
    return code


def letters(typed: str) -> str:
    """What was typed, as far as it may be letters of a code."""
    text = _capitals(typed)
    return "".join(char for char in text if char not in " .-_#*\t\r\n").translate(_LOOK_ALIKE)


def _capitals(typed: str) -> str:
    return unicodedata.normalize("NFKC", words.typed(typed[:80])[:40]).upper()
