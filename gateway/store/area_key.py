"""Areas as routing compares them: without case, accents or blanks, because spelling varies."""

from __future__ import annotations

import unicodedata


def units(area: str) -> tuple[str, ...]:
    """The parts of an area, without case, accents or blanks."""
    plain = "".join(
        char for char in unicodedata.normalize("NFD", area) if not unicodedata.combining(char)
    )
    return tuple(part.strip().casefold() for part in plain.split("/") if part.strip())


def area_key(area: str) -> str:
    return "/".join(units(area))


def covering(area: str | None) -> list[str] | None:
    """Keys of the areas whose officers cover this one; None where everybody does."""
    parts = units(area or "")
    if not parts:
        return None
    return ["*", "", *("/".join(parts[: n + 1]) for n in range(len(parts)))]
