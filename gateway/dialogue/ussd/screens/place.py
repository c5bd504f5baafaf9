"""Where a farmer's field is: two hops down the list of the country's units, asked once."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.dialogue.ussd.engine import Again, Go, Listing, Prompt, Screen, Visit
from gateway.dialogue.ussd.facts import SetArea
from gateway.dialogue.ussd.screens.entry import NEED_CONSENT
from gateway.people import areas


def _districts(visit: Visit) -> Sequence[str]:
    return _beginning(visit.facts.units(), visit["letters"])


def _sectors(visit: Visit) -> Sequence[str]:
    return _beginning(visit.facts.units(visit["district"]), visit["letters"])


def _beginning(names: Sequence[str], letters: str) -> Sequence[str]:
    """Those that begin so, else those that have it within, else none; all of them for nothing."""
    wanted = "".join(areas.units(letters))
    plain = {name: "".join(areas.units(name)) for name in names}
    if exact := [name for name in names if plain[name] == wanted]:
        return exact
    begin = [name for name in names if plain[name].startswith(wanted)]
    return begin or [name for name in names if wanted in plain[name]]


def _district(_: Visit, name: str) -> Go:
    return Go("area_sector", data={"district": name, "letters": ""})


def _sector(visit: Visit, name: str) -> Go:
    area = f"{visit['district']}/{name}"
    told = {"area": area, "letters": ""}
    if visit["wanted"] in NEED_CONSENT:
        return Go(visit["wanted"], data=told, forget=True)
    return Go("place_set", data=told, effects=(SetArea(area),))


def _read_district(visit: Visit, typed: str) -> Go | Again:
    found = _beginning(visit.facts.units(), typed)
    if len(found) == 1:
        return _district(visit, found[0])
    return Go("area_district", data={"letters": typed}) if found else Again("ussd_no_such_place")


def _read_sector(visit: Visit, typed: str) -> Go | Again:
    found = _beginning(visit.facts.units(visit["district"]), typed)
    if len(found) == 1:
        return _sector(visit, found[0])
    return Go("area_sector", data={"letters": typed}) if found else Again("ussd_no_such_place")


SCREENS = [
    Screen(
        "area_district",
        "ussd_area",
        listing=Listing(_districts, lambda _, name: name, _district, ("area_sector",)),
        prompt=Prompt(_read_district, ("area_sector", "area_district"), ("kayonza",)),
        unread=lambda _: True,
    ),
    Screen(
        "area_sector",
        lambda visit: visit.say("ussd_area_part", place=visit["district"]),
        listing=Listing(_sectors, lambda _, name: name, _sector, (*NEED_CONSENT, "place_set")),
        prompt=Prompt(_read_sector, (*NEED_CONSENT, "place_set", "area_sector"), ("kayonza",)),
    ),
    Screen("place_set", lambda visit: visit.say("ussd_place_set", place=visit["area"]), end=True),
]
