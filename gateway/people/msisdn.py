"""Phone numbers: E.164 from the door inwards."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache

import phonenumbers

from gateway import words
from gateway.people import PeopleError

LONGEST_TYPED = 40
LONGEST = 14
"""Characters of the longest number that the texts leave room for (Nigeria's, with its `+`)."""
E164 = re.compile(r"\+[1-9][0-9]{7,12}", re.ASCII)
_SCHEME = re.compile(r"^[a-z]+:", re.IGNORECASE)
_ENDING = re.compile(r"[/;@?,].*", re.DOTALL)


class BadNumber(PeopleError):
    """What was given is not a phone number that can receive an SMS."""

    def __init__(self, message: str) -> None:
        super().__init__("phone_number", message)


def parse(raw: str, region: str) -> str:
    """Read a number in any national or international way of writing, as E.164.

    A number whose range no table knows yet is taken where its country has mobile numbers of that
    length: networks open ranges faster than tables follow.

    Args:
        raw: as typed: blanks, dashes, brackets, `00` or `+` in front, digits of any script. A
            leading blank counts as a `+` that a form decoder ate.
        region: ISO 3166 code of the country in which national numbers are read.

    Raises:
        BadNumber: not a possible mobile number.
    """
    text = words.typed(raw)
    if not 0 < len(text) <= LONGEST_TYPED or len(raw) > 2 * LONGEST_TYPED or "\0" in raw:
        raise BadNumber("a phone number has 4 to 15 digits")
    ascii_digits = _ascii(text)
    candidates = [ascii_digits.strip()]
    bare = candidates[0].lstrip("0 ")
    if not candidates[0].startswith(("+", "00")) and not candidates[0].startswith("0"):
        # "250788123456": international without its plus.
        candidates.append("+" + bare)
    if ascii_digits.startswith(" "):
        candidates.insert(0, "+" + candidates[0])
    for known in (True, False):
        for candidate in candidates:
            number = _read(candidate, region, known)
            if number:
                return number
    raise BadNumber("not a phone number that can receive an SMS")


def from_network(raw: str, region: str) -> str:
    """Read a number that a mobile network names as its subscriber's.

    The network knows its own numbers better than any table: whatever has the shape of E.164 is
    taken. What gateways put around a number is taken off: `tel:`, `<>`, `/TYPE=PLMN`, `@` and a
    domain, `;` and parameters.

    Raises:
        BadNumber: not even the shape is right.
    """
    raw = _bare(raw)
    try:
        return parse(raw, region)
    except BadNumber:
        text = re.sub(r"[\s().-]", "", raw)
        shaped = text if text.startswith("+") else "+" + text.removeprefix("00")
        if E164.fullmatch(shaped):
            return shaped
        raise


def named(raw: str, region: str) -> str | None:
    """As `from_network`; None where no number is named."""
    try:
        return from_network(raw, region)
    except BadNumber:
        return None


def readings(raw: str, region: str) -> list[str]:
    """What a number that a person names may be in the store, the likeliest first.

    Also what no table of ranges knows, and what is no number at all: whatever is kept must be found
    again by those whose it is.
    """
    found = []
    for read in (parse, from_network):
        with suppress(BadNumber):
            found.append(read(raw, region))
    digits = "".join(char for char in words.typed(raw) if char in "+0123456789")
    bare = digits.lstrip("+").removeprefix("00")
    return list(dict.fromkeys((*found, digits, f"+{bare}", bare, raw.strip(), raw)))


def _bare(raw: str) -> str:
    """Without what stands around a number in an address."""
    text = words.typed(raw[:200])
    inside = re.search(r"<([^<>]+)>\s*$", text)
    text = re.sub(r"[\"'<>]", "", inside[1] if inside else text)
    return _ENDING.sub("", _SCHEME.sub("", text.lstrip() if ":" in text else text))


@lru_cache(maxsize=1024)  # the hops of a session ask for the same number
def _read(text: str, region: str, known: bool) -> str | None:
    """A mobile number of a range that the tables know, or of one that they do not (yet)."""
    if any(char.isalpha() for char in text):
        return None  # libphonenumber would read letters as keypad digits
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or phonenumbers.is_valid_number(number) is not known:
        return None
    fits = _is_mobile(number) if known else _has_mobiles_length(number)
    if not fits:
        return None
    text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return text if len(text) <= LONGEST else None


def _is_mobile(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.number_type(number) in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )


def _has_mobiles_length(number: phonenumbers.PhoneNumber) -> bool:
    possible = phonenumbers.is_possible_number_for_type_with_reason(
        number, phonenumbers.PhoneNumberType.MOBILE
    )
    return bool(possible == phonenumbers.ValidationResult.IS_POSSIBLE)


def ending(typed: str) -> str:
    """What was typed of a number, to be compared with how numbers end: its digits, without the
    zeros that a national number begins with. Empty when anything but a number was typed."""
    text = _ascii(words.typed(typed))
    digits = "".join(char for char in text if char.isdecimal())
    if any(char.isalpha() for char in text):
        return ""
    return digits.lstrip("0") if len(digits) > len("0000") else digits


def _ascii(text: str) -> str:
    """With digits of any script as those of ours."""
    return "".join(
        str(unicodedata.decimal(char)) if unicodedata.category(char) == "Nd" else char
        for char in unicodedata.normalize("NFKC", text)
    )


def mask(number: str) -> str:
    """`+250*****4001`: enough to tell two lines of a log apart, not enough to call."""
    return number[:4] + "*" * max(0, len(number) - 8) + number[-4:] if len(number) > 8 else "****"
