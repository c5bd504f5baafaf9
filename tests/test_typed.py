"""What chats and contact cards put around words and numbers, at every reader."""

from __future__ import annotations

import pytest

from gateway import words
from gateway.cases import codes
from gateway.dialogue import gsm7
from gateway.people import msisdn


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("\u2066RESULT\u2069", "RESULT"),
        ("\u202aSTOP\u202c\u200b", "STOP"),
        ("\ufeffst\u00adop", "stop"),
        ("“JIBU”", '"JIBU"'),
        ("l\u2019agronome", "l'agronome"),
        ("12\u201113\u201314", "12-13-14"),
        ("a\u00a0b\u202fc\u2003d", "a b c d"),
        ("two\nlines", "two\nlines"),
        ("\u2764\ufe0f ndiyo", "\u2764 ndiyo"),
        ("ibigori", "ibigori"),
    ],
)
def test_what_was_meant(given: str, meant: str) -> None:
    assert words.typed(given) == meant
    assert words.typed(meant) == meant


@pytest.mark.parametrize(
    "around", ["\u2068{}\u2069", "\u202d{}\u202c", "\u200b{}\ufeff", "\u00a0{}"]
)
def test_numbers_and_codes_out_of_a_chat(around: str) -> None:
    code = codes.new()
    assert codes.parse(around.format(code)) == code
    assert codes.parse(around.format(f"{code[:3]}\u2011{code[3:]}")) == code
    assert msisdn.parse(around.format("0788\u2011000\u00a0001"), "RW") == "+250788000001"


def test_an_officers_words_with_marks_around_them_fit_the_alphabet() -> None:
    assert gsm7.fold("\u2067Bury the leaves\u2069") == "Bury the leaves"
