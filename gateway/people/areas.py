"""Areas: administrative units written from the largest down, as in `Rwamagana/Muhazi`."""

from __future__ import annotations

from gateway.store.area_key import units

__all__ = ["closeness", "units"]


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
