from __future__ import annotations

from itertools import pairwise

import pytest

from gateway.dialogue import gsm7
from gateway.people import PeopleError, areas
from gateway.people.areas import Units
from gateway.settings import ROOT

TEMPLATES = ROOT / "templates"
COUNTRIES = sorted(path.stem for path in (TEMPLATES / "areas").glob("*.csv"))


@pytest.fixture
def rwanda() -> Units:
    return Units.load(TEMPLATES, "RW")


@pytest.mark.parametrize(
    ("officer", "case", "closeness"),
    [
        ("Rwamagana", "Rwamagana", 2),
        ("Rwamagana", "Rwamagana/Muhazi", 2),
        ("Rwamagana/Muhazi", "Rwamagana/Muhazi", 3),
        ("rwamagana / muhazi", "RWAMAGANA/Muhazi", 3),
        ("Rwamagana/Muhazi", "Rwamagana", 0),
        ("Rwamagana", "Kayonza", 0),
        ("Rwama", "Rwamagana", 0),
        ("Pèrlé", "perle", 2),
        ("*", "Kayonza", 1),
        ("Rwamagana", None, 1),
        ("Rwamagana", " / ", 1),
    ],
)
def test_closeness(officer: str, case: str | None, closeness: int) -> None:
    assert areas.closeness(officer, case) == closeness


def test_rwanda_has_its_districts_and_sectors(rwanda: Units) -> None:
    assert len(rwanda.below()) == 30
    assert len(rwanda.every()) == 30 + 416
    assert "Muhazi" in rwanda.below("Rwamagana")
    assert rwanda.below("Nowhere") == ()


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_name_of_every_country_can_be_shown_and_kept(country: str) -> None:
    units = Units.load(TEMPLATES, country.upper())
    assert units.below()
    for area in units.every():
        assert len(area) <= 80
        assert not gsm7.outside(area)
        assert len(areas.units(area)) == (2 if "/" in area else 1)
        assert max(map(len, area.split("/"))) <= 30


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_district_stands_in_one_place_so_that_its_number_stays(country: str) -> None:
    lines = (TEMPLATES / "areas" / f"{country}.csv").read_text("utf-8").splitlines()[1:]
    districts = [line.partition(",")[0] for line in lines]
    changes = [here for before, here in pairwise(["", *districts]) if before != here]
    assert len(changes) == len(set(changes))
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Rwamagana/Muhazi", "Rwamagana/Muhazi"),
        (" rwamagana / MUHAZI ", "Rwamagana/Muhazi"),
        ("Rwámagana", "Rwamagana"),
        ("muhazi", "Rwamagana/Muhazi"),  # one district alone has it
        ("  ", ""),
    ],
)
def test_what_is_chosen_is_kept_as_the_list_writes_it(rwanda: Units, typed: str, kept: str) -> None:
    assert rwanda.chosen(typed) == kept


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("Rwamagama", "Rwamagana"),
        ("Ngoma/Rukira/Nyaruvumu", "Ngoma/Rukira"),
        ("Kigali/Muhazi", "Muhazi"),
        ("Gitega's place", ""),
        ("*", ""),
        ("\0", ""),
        ("a" * 500, ""),
    ],
)
def test_free_text_is_refused_with_what_is_near(rwanda: Units, typed: str, near: str) -> None:
    if not typed.strip("\0"):
        assert rwanda.chosen(typed) == ""
        return
    with pytest.raises(PeopleError) as refusal:
        rwanda.chosen(typed)
    assert refusal.value.code == "area_unknown"
    assert near in str(refusal.value)


def test_a_sector_of_two_districts_is_asked_back(rwanda: Units) -> None:
    with pytest.raises(PeopleError, match="Gasabo/Remera"):
        rwanda.chosen("remera")
    assert rwanda.chosen("Ngoma") == "Ngoma"  # a district has the name itself


def test_what_stood_there_before_there_was_a_list_may_stay(rwanda: Units) -> None:
    assert rwanda.chosen("East of the lake", before="East of the lake") == "East of the lake"
    assert rwanda.chosen("*", everywhere=True) == "*"


def test_a_country_without_a_list_takes_what_is_typed() -> None:
    units = Units.load(TEMPLATES, "TZ")
    assert units.below() == ()
    assert units.chosen(" Arusha ") == "Arusha"
