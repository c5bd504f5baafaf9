"""Texts of the pages: one gettext PO file a language and an area, monolingual, by key.

`templates/pages/po/<language>/<area>.po`; the msgid is a key. English is complete; a text that
another language lacks is said in English. A text flagged `fuzzy` is unreviewed and used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from gateway.dialogue import po
from gateway.dialogue.catalogue import CatalogueError
from gateway.dialogue.po import FALLBACK, PLACEHOLDER, holes


class PageTexts:
    """Texts by language and key. Make it with `load`; it does not change afterwards."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = texts

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read and check every PO file below `folder`.

        Raises:
            CatalogueError: a file cannot be read, a key is there twice or unknown in English, or
                braces differ from English; all faults are listed, a line each.
        """
        texts: dict[str, dict[str, str]] = {}
        faults = []
        for path in sorted(folder.glob("*/*.po")):
            try:
                read = po.read(path).texts
            except (OSError, ValueError) as error:
                raise CatalogueError(f"{path} cannot be read: {error}") from None
            known = texts.setdefault(path.parent.name, {})
            faults += [f"{path}: {key} is in another file too" for key in read if key in known]
            known |= read
        if FALLBACK not in texts:
            raise CatalogueError(f"{folder} has no {FALLBACK} folder with PO files")
        loaded = cls(texts)
        if faults := faults + loaded._differences():
            raise CatalogueError("\n".join(faults))
        return loaded

    def text(self, key: str, language: str, **values: object) -> str:
        """The text of `key`, braces filled. Raises: KeyError when there is no such key."""
        own = self.own(key, language)
        text = self._texts[FALLBACK][key] if own is None else own
        return PLACEHOLDER.sub(lambda match: str(values[match[1]]), text)

    def own(self, key: str, language: str) -> str | None:
        """The language's own text of `key`, or None where it has none."""
        return self._texts.get(language, {}).get(key)

    def starting_with(self, prefix: str, language: str) -> dict[str, str]:
        """All texts of one area, braces unfilled, for a page that fills them itself."""
        both = {**self._texts[FALLBACK], **self._texts.get(language, {})}
        return {key: text for key, text in both.items() if key.startswith(prefix)}

    def lacking(self, rows: Iterable[tuple[str, list[str]]], language: str) -> dict[str, list[str]]:
        """Row to those of its keys that the language lacks; rows without a gap are left out."""
        found = {
            row: [key for key in keys if self.own(key, language) is None] for row, keys in rows
        }
        return {row: keys for row, keys in found.items() if keys}

    def require(self, rows: Iterable[tuple[str, list[str]]]) -> None:
        """Raises: CatalogueError, a line a row, when English lacks a text that the row needs."""
        if found := self.lacking(rows, FALLBACK):
            raise CatalogueError(
                "\n".join(
                    f"{row} (a row of gateway/agronomy/table.py) has no {', '.join(keys)} in "
                    f"pages/po/{FALLBACK}/operator.po"
                    for row, keys in found.items()
                )
            )

    def _differences(self) -> list[str]:
        english = self._texts[FALLBACK]
        found = []
        for language, texts in self._texts.items():
            for key, text in texts.items():
                if key not in english:
                    found.append(f"{key} [{language}]: no such key in English")
                elif holes(text) != holes(english[key]):
                    found.append(f"{key} [{language}]: placeholders differ from English")
        return found
