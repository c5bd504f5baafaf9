"""What the answers of a farmer without a photo sound like: every row, and what must never be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway import agronomy
from gateway.agronomy import products, symptoms
from gateway.agronomy.symptoms import LOOKS, TROUBLES, Look, Sign, sounds_like
from gateway.dialogue import po
from gateway.settings import ROOT

ROWS = [
    ("maize", "rusty_dust", "both_sides", "maize_rust"),
    ("maize", "rusty_dust", "top_only", "southern_rust"),
    ("maize", "long_stripes", "cigar", "maize_blight"),
    ("maize", "long_stripes", "ruler", "grey_spot"),
    ("maize", "pale_leaves", "pale_lines", "streak"),
    ("maize", "pale_leaves", "mottled", "lethal_necrosis"),
    ("maize", "pale_leaves", "old_tips", "nitrogen_lack"),
    ("maize", "funnel", "", "armyworm"),
    ("maize", "none", "", None),
    ("beans", "straight_spots", "grey_mould", "bean_spot"),
    ("beans", "straight_spots", "red_veins", "anthracnose"),
    ("beans", "straight_spots", "nothing_below", "bean_spot"),
    ("beans", "rusty_dust", "", "bean_rust"),
    ("beans", "pod_sores", "", "anthracnose"),
    ("beans", "wilting", "", "bean_fly"),
    ("beans", "none", "", None),
    ("cassava", "twisted", "streaks_too", "brown_streak"),
    ("cassava", "twisted", "leaves_only", "cassava_mosaic"),
    ("cassava", "old_yellow", "streaks_too", "brown_streak"),
    ("cassava", "old_yellow", "leaves_only", None),
    ("cassava", "stem_streaks", "", "brown_streak"),
    ("cassava", "dots", "", "green_mite"),
    ("cassava", "wool", "", "mealybug"),
    ("cassava", "none", "", None),
    # What was not asked, or belongs to another question or crop, tells nothing.
    ("maize", "rusty_dust", "", None),
    ("maize", "rusty_dust", "cigar", None),
    ("beans", "funnel", "", None),
    ("other", "rusty_dust", "", None),
    ("", "", "", None),
]


@pytest.mark.parametrize(("crop", "look", "sign", "sounds"), ROWS)
def test_what_it_sounds_like(crop: str, look: str, sign: str, sounds: str | None) -> None:
    found = sounds_like(crop, look, sign)
    assert (found.code if found else None) == sounds


def test_every_row_is_in_the_table_above() -> None:
    tested = {row[:3] for row in ROWS}
    rows = {
        (look.crop, look.name, sign)
        for look in LOOKS
        for sign in ([one.name for one in look.signs] or [""])
    }
    assert rows <= tested


def test_each_trouble_can_be_told_and_has_a_source() -> None:
    told = {one.trouble for look in LOOKS for one in look.signs} | {look.trouble for look in LOOKS}
    assert {row.code for row in TROUBLES} <= told
    reference = {f"S{number}" for number in range(1, 101)}
    for row in TROUBLES:
        assert set(row.source.split(", ")) <= reference | set(symptoms.SOURCES)


def test_the_models_diseases_are_called_as_the_model_calls_them() -> None:
    codes = {row.code for row in TROUBLES}
    sick = {label for label, row in agronomy.DISEASES.items() if not row.well}
    assert sick <= codes
    for row in TROUBLES:
        if row.code in agronomy.DISEASES:
            assert (row.crop, row.number) == (agronomy.CROP_OF[row.code], 0)


def test_two_questions_at_most_and_none_of_these_on_each_first() -> None:
    for crop in agronomy.CROPS:
        looks = symptoms.looks_of(crop)
        assert looks[-1].number == symptoms.NONE
        assert not looks[-1].trouble
        assert len({row.number for row in looks}) == len(looks)
        for row in looks:
            assert bool(row.trouble) + bool(row.signs) + (row.name == "none") == 1
            numbers = [sign.number for sign in row.signs]
            assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("language", ["en", "fr", "rw", "sw"])
def test_no_text_of_ours_says_is_or_names_a_product(language: str) -> None:
    texts = po.read(ROOT / "templates" / "messages" / f"{language}.po").texts
    for key, text in texts.items():
        if key.startswith(("ussd_about_", "prevent_", "ussd_sounds", "option_look_", "diag_")):
            assert not products.found(text), key
            assert f" is {key.split('_', 2)[-1]}" not in text


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([Look("maize", 5, "odd", "bean_spot")], "which is not of it"),
        ([Look("maize", 5, "odd", signs=(Sign(1, "odd", "nobody"),))], "sounds like nobody"),
    ],
)
def test_a_row_that_contradicts_the_table_is_named(
    monkeypatch: pytest.MonkeyPatch, rows: list[Look], says: str
) -> None:
    monkeypatch.setattr(symptoms, "LOOKS", (*LOOKS, *rows))
    with pytest.raises(agronomy.AgronomyError, match=says):
        agronomy.check(agronomy.LABELS)


def test_a_page_on_a_number_that_is_taken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symptoms, "TROUBLES", (*TROUBLES, replace(TROUBLES[2], number=1)))
    with pytest.raises(agronomy.AgronomyError, match="number 1 is a disease's already"):
        agronomy.check(agronomy.LABELS)
