"""Fuzz the reading of SMS: what a farmer's words ask for, and an officer's.

    nice -n 19 python -m benchmarks.fuzz.sms [--seconds 60] [--runs N] [--corpus FOLDER]

Whatever the letters: a reading, or the refusals that people get in words.
"""

from __future__ import annotations

from datetime import date

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from gateway import words
    from gateway.agronomy import LABELS, products
    from gateway.cases import codes
    from gateway.dialogue import advice, promises
    from gateway.dialogue.catalogue import Catalogue
    from gateway.dialogue.sms import chatter, meaning
    from gateway.dialogue.sms import words as table
    from gateway.people import msisdn
    from gateway.settings import ROOT

import contextlib

from benchmarks.fuzz.driver import fuzz

LONGEST = 1000
TODAY = date(2026, 11, 28)
TEXTS = Catalogue.load(ROOT / "templates", ussd="*384*1#", service="Leafline", months="12")
WORDS = table.Vocabulary.of(TEXTS)
OURS = chatter.OwnTexts.of(TEXTS)


def one(data: bytes) -> None:
    """One execution. Raises: AssertionError, or whatever somebody's words should not raise."""
    text = words.typed(data.decode("utf-8", "replace"))
    read = WORDS.read(text)
    assert isinstance(read.rest, str)
    code, rest = chatter.parted(text)
    assert not code or codes.parse(code) == code
    chatter.kind(text, WORDS, OURS)
    chatter.kind(rest, WORDS, OURS)
    chatter.command(rest, WORDS)
    chatter.says_yes(rest)
    last = promises.until(rest, TODAY)
    assert last is None or last >= TODAY
    table.find_code(text)
    table.around_code(text)
    table.means_code(text)
    said = table.plain(text).split()
    meaning.wants_stop(said)
    meaning.asks_only(said)
    meaning.language_of(said)
    assert WORDS.label(rest, LABELS) in (None, *LABELS)
    products.found(text)
    with contextlib.suppress(advice.BadNote):  # too long, or of letters that no SMS has
        assert advice.said(TEXTS, advice.tidy(text), safety=False)
    with contextlib.suppress(msisdn.BadNumber):
        assert msisdn.parse(text, "RW").startswith("+")


def seeds() -> list[bytes]:
    whole = [
        "STOP", "hagarika ubutumwa bwanyu", "acha kunitumia", "RESULT K7Q2M93", "k7q2m 93 ok rust",
        "K7Q2M93 ? ", "OFF 1/12", "off until friday", "YES", "UNDO K7Q2M93", "Liked “Leafline”",
        "Spray 50 ml mancozeb in 15 l", "I come tomorrow at 9", "kinyarwanda", "PASS", "PHOTO",
        "🌽 sawa", "agronome SVP", "+250 788 000 001", "tél. 0788-000-001 \u200f", "why?",
    ]  # fmt: skip
    return [text.encode() for text in whole]


if __name__ == "__main__":
    fuzz("sms", __doc__ or "", one, seeds(), LONGEST)
