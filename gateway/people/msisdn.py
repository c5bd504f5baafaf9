"""Phone numbers: E.164 from the door inwards."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache

import phonenumbers

from gateway.people import PeopleError

LONGEST_TYPED = 40
LONGEST = 14
"""Characters of the longest number that the texts leave room for (Nigeria's, with its `+`)."""
E164 = re.compile(r"\+[1-9][0-9]{7,12}", re.ASCII)


class BadNumber(PeopleError):
    """What was given is not a phone number that can receive an SMS."""

    def __init__(self, message: str) -> None:
        super().__init__("phone_number", message)


def parse(raw: str, region: str) -> str:
    """Read a number in any national or international way of writing, as E.164.

    Args:
        raw: as typed: blanks, dashes, brackets, `00` or `+` in front, digits of any script. A
            leading blank counts as a `+` that a form decoder ate.
        region: ISO 3166 code of the country in which national numbers are read.

    Raises:
        BadNumber: not a possible mobile number.
    """
    if not 0 < len(raw) <= LONGEST_TYPED:
        raise BadNumber("a phone number has 4 to 15 digits")
    text = unicodedata.normalize("NFKC", raw)
    ascii_digits = "".join(
        str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char
        for char in text
    )
    candidates = [ascii_digits.strip()]
    bare = candidates[0].lstrip("0 ")
    if not candidates[0].startswith(("+", "00")) and not candidates[0].startswith("0"):
        # "250788123456": international without its plus.
        candidates.append("+" + bare)
    if ascii_digits.startswith(" "):
        candidates.insert(0, "+" + candidates[0])
    for candidate in candidates:
        number = _valid(candidate, region)
        if number:
            return number
    raise BadNumber("not a phone number that can receive an SMS")


def from_network(raw: str, region: str) -> str:
    """Read a number that a mobile network names as its subscriber's.

    The network knows its own numbers better than any table of ranges, which may be older than a
    new range: whatever has the shape of E.164 is taken.

    Raises:
        BadNumber: not even the shape is right.
    """
    try:
        return parse(raw, region)
    except BadNumber:
        text = raw.strip()
        shaped = text if text.startswith("+") else "+" + text
        if E164.fullmatch(shaped):
            return shaped
        raise


def readings(raw: str, region: str) -> list[str]:
    """What a number that a person names may be in the store, the likeliest first.

    Also what no table of ranges knows, and what is no number at all: whatever is kept must be found
    again by those whose it is.
    """
    found = []
    for read in (parse, from_network):
        with suppress(BadNumber):
            found.append(read(raw, region))
    digits = "".join(char for char in raw if char in "+0123456789")
    bare = digits.lstrip("+").removeprefix("00")
    return list(dict.fromkeys((*found, digits, f"+{bare}", bare, raw.strip(), raw)))


@lru_cache(maxsize=1024)  # the hops of a session ask for the same number
def _valid(text: str, region: str) -> str | None:
    if any(char.isalpha() for char in text):
        return None  # libphonenumber would read letters as keypad digits
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    kind = phonenumbers.number_type(number)
    if kind not in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    ):
        return None
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return text if len(text) <= LONGEST else None


def mask(number: str) -> str:
    """`+250*****4001`: enough to tell two lines of a log apart, not enough to call."""
    return number[:4] + "*" * max(0, len(number) - 8) + number[-4:] if len(number) > 8 else "****"
