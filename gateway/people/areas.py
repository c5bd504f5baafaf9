"""Areas: administrative units written from the largest down, as in `Rwamagana/Muhazi`.

Farmers, kiosks and officers choose theirs from the list of the country that is served
(`templates/areas`). What was typed before there was a list stays as it is.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from gateway import words
from gateway.people import PeopleError
from gateway.store.area_key import area_key, units

__all__ = ["EVERYWHERE", "NO_UNITS", "Units", "closeness", "units"]

EVERYWHERE = "*"
SUGGESTED = 3


class Units:
    """The districts of a country and their sectors, in the order of their numbers."""

    def __init__(self, sectors: Mapping[str, Sequence[str]]) -> None:
        self._sectors = sectors
        every = [one for name, parts in sectors.items() for one in (name, *_below(name, parts))]
        self._by_key = {area_key(area): area for area in every}

    @classmethod
    def load(cls, templates: Path, region: str) -> Self:
        """Those of a country (ISO 3166, `RW`); none where there is no list of it."""
        path = templates / "areas" / f"{region.lower()}.csv"
        found: dict[str, list[str]] = {}
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    found.setdefault(row["district"], []).append(row["sector"])
        return cls(found)

    def below(self, district: str = "") -> Sequence[str]:
        """The districts, or the sectors of one."""
        return self._sectors.get(district, ()) if district else tuple(self._sectors)

    def every(self) -> list[str]:
        """All areas that may be chosen: each district, then its sectors."""
        return list(self._by_key.values())

    def chosen(self, raw: str, *, everywhere: bool = False, before: str = "") -> str:
        """The area as the list writes it. Without a list, whatever is typed.

        Args:
            everywhere: `*` may be chosen.
            before: what stands there now; it may stay, also if it was typed before there was a
                list.

        Raises: PeopleError when it is none, with those that are written alike.
        """
        area = words.line(raw)
        if not self._by_key or not area or area == before or (everywhere and area == EVERYWHERE):
            return area
        key = area_key(area)
        if known := self._by_key.get(key):
            return known
        if len(ends := self._ending(key)) == 1:
            return ends[0]
        alike = ends or difflib.get_close_matches(key, self._by_key, SUGGESTED, 0.5)
        near = ", ".join(self._by_key.get(one, one) for one in alike[:SUGGESTED])
        text = f"{area!r} is no district or sector of the list" + (near and f"; near it: {near}")
        raise PeopleError("area_unknown", text, area=area, near=near or "-")

    def _ending(self, key: str) -> list[str]:
        """Areas whose sector alone was typed."""
        return [area for own, area in self._by_key.items() if own.partition("/")[2] == key]


def _below(district: str, sectors: Sequence[str]) -> list[str]:
    return [f"{district}/{sector}" for sector in sectors]


NO_UNITS = Units({})


def closeness(officer_area: str, case_area: str | None) -> int:
    """How well an officer's area covers a case's: 0 is not at all, more units are closer.

    An officer for `Rwamagana` covers `Rwamagana/Muhazi`; `*` covers everything, least closely.
    A case without an area is covered by everybody.
    """
    mine = units(officer_area)
    if case_area is None or not units(case_area) or mine == ("*",):
        return 1
    theirs = units(case_area)
    return 1 + len(mine) if theirs[: len(mine)] == mine else 0
