from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from gateway import agronomy
from gateway.agronomy.table import CROP_ROWS, DISEASE_ROWS, TOLD, Crop, Disease
from gateway.cases.triage import Facts, Finding, triage


@pytest.mark.parametrize(
    ("crop", "stage", "plants", "label", "why"),
    [
        ("other", "filling", "one", None, "unknown_crop"),
        ("beans", "young", "most", None, "most_plants"),
        ("maize", "before_flowering", "half", None, "before_flowering"),
        ("maize", "before_flowering", "few", None, None),
        ("maize", "flowering", "half", None, None),
        ("beans", "before_flowering", "half", None, None),
        ("maize", "before_flowering", "one", "maize_blight", "before_flowering"),
        ("maize", "before_flowering", "half", "healthy", None),
        (None, "before_flowering", None, "maize_rust", "before_flowering"),
        (None, None, None, None, None),
        ("maize", "flowering", None, "unheard_of", None),
    ],
)
def test_when_a_person_must_look_at_once(
    crop: str | None, stage: str | None, plants: str | None, label: str | None, why: str | None
) -> None:
    assert agronomy.urgent(crop, stage, plants, label) == why


def test_triage_and_a_report_follow_one_rule() -> None:
    """Whatever sends a report to a person sends a photo of one of the crop's diseases there too."""
    told = itertools.product(agronomy.CROPS, TOLD["stage"], TOLD["plants"])
    for crop, stage, plants in told:
        escalated = {
            row.label
            for row in agronomy.diseases_of(crop)
            if triage(Finding("advice", row.label), Facts(crop, 1, stage, plants)).action
            == "escalate"
        }
        if agronomy.urgent(crop, stage, plants):
            assert escalated
        for label in escalated:
            assert agronomy.person_needed(crop, {"stage": stage, "plants": plants}, label)


def test_the_table_fits_itself() -> None:
    agronomy.check(agronomy.LABELS)


RUST = DISEASE_ROWS[-1]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        pytest.param([replace(RUST, label="a", number=9)], "desk number 5 is given", id="desk"),
        pytest.param([replace(RUST, label="a", number=9, desk=7)], "desk number 7", id="call's"),
        pytest.param([replace(RUST, label="a", desk=9)], "maize's number 1", id="in the menu"),
        pytest.param([replace(RUST, number=9, desk=9)], "label maize_rust is given", id="label"),
        pytest.param([Disease("a", "rice", 1, 9)], "crop rice, which has no row", id="no crop"),
        pytest.param([Disease("a", "other", 1, 9)], "other, which is not judged", id="other"),
        pytest.param([Disease("a", "maize", 9, 9, urgent=("late",))], "late, which", id="stage"),
        pytest.param([Disease("none", "maize", 9, 9)], "means something else", id="reserved"),
        pytest.param([Disease("Grey Spot", "maize", 9, 9)], "small letters", id="letters"),
        pytest.param([Disease("a" * 25, "maize", 9, 9)], "24 small letters", id="too long"),
    ],
)
def test_a_row_that_contradicts_the_table_is_named(
    monkeypatch: pytest.MonkeyPatch, rows: list[Disease], says: str
) -> None:
    table = (*DISEASE_ROWS, *rows)
    monkeypatch.setattr(agronomy, "DISEASE_ROWS", table)
    with pytest.raises(agronomy.AgronomyError, match=says) as refusal:
        agronomy.check(row.label for row in table)
    assert "\n" not in str(refusal.value)


def test_a_crop_that_contradicts_the_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agronomy, "CROP_ROWS", (*CROP_ROWS, Crop("rice", 4, ("corn",))))
    with pytest.raises(agronomy.AgronomyError) as refusal:
        agronomy.check(agronomy.LABELS)
    for words in ("crop number 4", "typed name corn", "rice has no disease"):
        assert words in str(refusal.value)


@pytest.mark.parametrize("typed", ["Maïs", " MAIZE ", "ibigori", "Mahindi"])
def test_a_crop_is_known_by_its_names(typed: str) -> None:
    assert agronomy.parse(typed) == "maize"


@pytest.mark.parametrize("typed", ["", "other", "rice"])
def test_another_crop_is_refused(typed: str) -> None:
    with pytest.raises(agronomy.BadCrop, match="maize, beans, cassava"):
        agronomy.parse(typed)
