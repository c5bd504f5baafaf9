from __future__ import annotations

import pytest

from gateway.dialogue import gsm7
from gateway.dialogue.advice import said
from gateway.dialogue.catalogue import Catalogue
from gateway.pages.officer import advice
from gateway.settings import ROOT
from gateway.teaching import labels


@pytest.fixture(scope="module")
def texts() -> Catalogue:
    return Catalogue.load(ROOT / "templates", ussd="*384*123#", service="Leafline", months="12")


@pytest.mark.parametrize(
    ("label", "crop", "first"),
    [
        (
            "maize_blight",
            "maize",
            ["maize_blight", "healthy", "maize_rust", "visit", "call"],
        ),
        (None, "beans", ["bean_spot", "visit", "call"]),
        ("none", "cassava", ["cassava_mosaic", "visit", "call"]),
        ("bean_spot", "maize", ["healthy", "maize_blight", "maize_rust", "visit", "call"]),
        ("none", None, ["bean_spot"]),
    ],
)
def test_what_fits_comes_first(
    texts: Catalogue, label: str | None, crop: str | None, first: list[str]
) -> None:
    keys = [choice.key for choice in advice.choices(texts, "rw", "en", label, crop)]
    assert [key.removeprefix("note_") for key in keys[: len(first)]] == first
    fitting = {advice.label_of(key) for key in keys} - {None}
    assert fitting == set(labels.choices(crop)) - {labels.NONE}, "all of this crop, and no other"


@pytest.mark.parametrize(
    ("choice", "label"),
    [("note_maize_rust", "maize_rust"), ("note_visit", None), ("own", None), ("", None)],
)
def test_what_a_choice_says_of_the_label(choice: str, label: str | None) -> None:
    assert advice.label_of(choice) == label


def test_every_choice_arrives_whole_in_every_language(texts: Catalogue) -> None:
    for language in texts.languages:
        for choice in advice.choices(texts, language, "en", None, None):
            text = advice.preview(
                texts, language, "K7Q2M9X", "+2348021234567", said(texts, choice.words)
            )
            assert choice.words in text
            assert gsm7.septets(text) <= 160
