"""Whether every crop and disease of the table has its texts."""

from __future__ import annotations

from gateway import agronomy
from gateway.dialogue.catalogue import Catalogue, CatalogueError
from gateway.dialogue.po import FALLBACK


def lacking(texts: Catalogue, language: str) -> dict[str, list[str]]:
    """Row to the keys of the messages that the language lacks; rows without a gap are left out."""
    found = {
        row: [key for key in keys if not texts.translated(key, language)]
        for row, keys in agronomy.texts()
    }
    return {row: keys for row, keys in found.items() if keys}


def require(texts: Catalogue) -> None:
    """Raises: CatalogueError, a line a row, when English lacks a text of it: nothing could be said.
    What another language lacks is said in English."""
    if found := lacking(texts, FALLBACK):
        raise CatalogueError(
            "\n".join(
                f"{row} (a row of gateway/agronomy/table.py) has no {', '.join(keys)} in "
                f"{FALLBACK}.po"
                for row, keys in found.items()
            )
        )
