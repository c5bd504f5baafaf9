"""Reading what people type: keywords of every language, slips, codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.agronomy import LABELS
from gateway.cases import codes
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.sms.words import (
    Command,
    Vocabulary,
    find_code,
    means_code,
    plain,
)
from gateway.words import one_slip

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
CODE = codes.new()


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return Vocabulary.of(Catalogue.load(TEMPLATES, ussd="*384*1#", service="Leafline", months="12"))


@pytest.mark.parametrize(
    ("text", "command", "language"),
    [
        ("STOP", Command.STOP, "en"),
        ("  stop!! ", Command.STOP, "en"),
        ("Stop.", Command.STOP, "en"),
        ("STPO", Command.STOP, "en"),
        ("stopp", Command.STOP, "en"),
        ("ACHA", Command.STOP, "sw"),
        ("hagarika", Command.STOP, "rw"),
        ("Arrêt", Command.STOP, "fr"),
        ("arreter", Command.STOP, "fr"),
        ("START", Command.START, "en"),
        ("anza", Command.START, "sw"),
        ("help", Command.HELP, "en"),
        ("hepl", Command.HELP, "en"),
        ("Msaada", Command.HELP, "sw"),
        ("aide", Command.HELP, "fr"),
        ("RÉSULTAT", Command.RESULT, "fr"),
        ("majibu", Command.RESULT, "sw"),
        ("more", Command.MORE, "en"),
        ("ibindi", Command.MORE, "rw"),
        ("afisa", Command.OFFICER, "sw"),
        ("Agoronome", Command.OFFICER, "rw"),
        ("lugha", Command.LANGUAGE, "sw"),
    ],
)
def test_keywords_are_read_forgivingly(
    words: Vocabulary, text: str, command: Command, language: str
) -> None:
    said = words.read(text)
    assert (said.command, said.language) == (command, language)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "🌽",
        "hello",
        "please stop my maize from dying",
        "Stap it now",
        "end of season what to plant",
        "End of season",
        "Reba ikibabi",
        "Teka",
        "Rema",
        "shop",
        "Step 2",
        "Cancer",
        "Cuit",
        "a" * 5000,
    ],
)
def test_other_texts_are_no_command(words: Vocabulary, text: str) -> None:
    assert words.read(text).command is None


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("stop sending me these messages", Command.STOP),
        ("end please", Command.STOP),
        ("Unsubscribe me from this please", Command.STOP),
        ("Désabonner moi svp", Command.STOP),
        ("Reka kuntumira ubutumwa", Command.STOP),
        ("Cancel my subscription now please", Command.STOP),
        ("officer please come and see my beans", Command.OFFICER),
    ],
)
def test_a_keyword_may_begin_a_longer_message(
    words: Vocabulary, text: str, command: Command
) -> None:
    assert words.read(text).command is command


def test_no_word_means_two_commands() -> None:
    texts = Catalogue.load(TEMPLATES, ussd="*384*1#", service="Leafline", months="12")
    meanings: dict[str, set[Command]] = {}
    for code in texts.languages:
        for command in Command:
            for word in texts.text(f"keyword_{command.value}", code).split(","):
                meanings.setdefault(plain(word), set()).add(command)
    assert {word for word, commands in meanings.items() if len(commands) > 1} == set()


@pytest.mark.parametrize(
    ("pattern", "command"),
    [
        ("{code}", Command.RESULT),
        ("{lower}.", Command.RESULT),
        ("RESULT {code}", Command.RESULT),
        ("result:{code}", Command.RESULT),
        ("Result,{code}", Command.RESULT),
        ("jibu {lower}", Command.RESULT),
        ("OFFICER {code}", Command.OFFICER),
        ("{code} OFFICER", Command.OFFICER),
        ("RESULT {spaced}", Command.RESULT),
        ("jibu {dashed}", Command.RESULT),
        ("My code is {code}", Command.RESULT),
        ("{code} what is this", Command.RESULT),
    ],
)
def test_codes_are_found(words: Vocabulary, pattern: str, command: Command) -> None:
    spaced, dashed = f"{CODE[:3]} {CODE[3:]}", f"{CODE[:2]}-{CODE[2:4]}-{CODE[4:]}"
    said = words.read(pattern.format(code=CODE, lower=CODE.lower(), spaced=spaced, dashed=dashed))
    assert said.command is command
    assert said.code == CODE


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("23K7Q2M bury the leaves", True),
        ("Case K7Q2M9Z: uproot all", True),
        ("K7Q 2M9X bury the leaves", True),
        ("KTXVTCD bury them", True),
        ("Stop spraying and bury the leaves", False),
        ("spray 10 l on the beans", False),
        ("Koresha NPK 50 kg", False),
        ("Use NPK 17-17-17 50kg per acre", False),
        ("Apply 1000ml of water", False),
        ("Spray 250grams per acre", False),
        ("Use 20litres water", False),
        ("Call me 0788 123 456", False),
        ("Ndaza 2024-11-25", False),
        ("25/11/26 I will come", False),
        ("Visit 12.12.2026", False),
        ("umutuku ku bibabi", False),
        ("", False),
    ],
)
def test_what_is_nearly_a_code(text: str, meant: bool) -> None:
    assert find_code(text)[0] == ""
    assert means_code(text) is meant


@pytest.mark.parametrize(
    ("typed", "code"),
    [("EN", "en"), ("rw", "rw"), ("Kiswahili", "sw"), ("français", "fr"), ("klingon", None)],
)
def test_languages_by_code_or_name(words: Vocabulary, typed: str, code: str | None) -> None:
    assert words.language(typed) == code


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("RUST", "maize_rust"),
        ("common rust", "maize_rust"),
        ("blight", "maize_blight"),
        ("maize blight", "maize_blight"),
        ("Mosaic", "cassava_mosaic"),
        ("batobato", "cassava_mosaic"),
        ("spot", "bean_spot"),
        ("taches anguleuses", "bean_spot"),
        ("umugese", "maize_rust"),
        ("healthy", "healthy"),
        ("unknown", None),
        ("weevils", None),
    ],
)
def test_labels_in_any_language(words: Vocabulary, typed: str, label: str | None) -> None:
    assert words.label(typed, LABELS) == label


@given(st.text(max_size=120))
def test_reading_never_fails(text: str) -> None:
    said = VOCABULARY.read(text)
    assert not said.code or codes.parse(said.code) == said.code
    find_code(text)
    means_code(text)


@given(st.text("abcd", min_size=4, max_size=8), st.data())
def test_one_slip_is_one_slip(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("abcdz"))
    slips = [
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at:],
        word[:at] + letter + word[at + 1 :],
        word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    ]
    assert all(one_slip(slip, word) for slip in slips)
    assert not one_slip(word + "zz", word)


VOCABULARY = Vocabulary.of(
    Catalogue.load(TEMPLATES, ussd="*384*1#", service="Leafline", months="12")
)
