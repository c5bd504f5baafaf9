"""All texts that a person reads on a phone, each proved to fit before anything starts.

A language is one PO file in `templates/messages`; the msgid is a key, and the key's prefix says
what kind of text it is and how long it may be (`LIMITS`). `placeholders.toml` beside the files
says what may stand between braces and how long that can get. English is complete; a text that
another language lacks is said in English. A text flagged `fuzzy` is unreviewed: it is used, and
counted (`review_state`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.dialogue import gsm7, po
from gateway.dialogue.po import FALLBACK, PLACEHOLDER, holes

SMS_LIMIT = 160
SCREEN_LIMIT = 156
"""160 less `CON ` or `END `: nobody documents whether the prefix counts."""

LIMITS = {
    "ussd_": SCREEN_LIMIT,
    "option_": 40,
    "state_": 20,
    "crop_": 20,
    "disease_": 30,
    "note_": 76,
    "finding_": 30,
    "why_": 16,
    "told_": 12,
}
"""Septets by kind of text; every other key is an SMS."""


class CatalogueError(Exception):
    """A text is missing, too long, not GSM or filled wrongly: a line a fault, with its key."""


@dataclass(frozen=True)
class Placeholder:
    """What may fill a pair of braces: a value of bounded length, or the name of something."""

    longest: str = ""
    names: str = ""
    """Prefix of the keys that hold the names, such as `crop_`."""
    cut: bool = False
    """Shorten a longer value at a word; otherwise refuse it."""


class Catalogue:
    """Texts by key and language. Make it with `load`; it does not change afterwards."""

    def __init__(
        self,
        texts: Mapping[str, Mapping[str, str]],
        fuzzy: Mapping[str, frozenset[str]],
        menu_numbers: Mapping[str, str],
        placeholders: Mapping[str, Placeholder],
        defaults: Mapping[str, str],
    ) -> None:
        self.menu_numbers = menu_numbers
        """Number in a menu of languages to the language's code, in that order."""
        self._texts = texts
        self._fuzzy = fuzzy
        self._placeholders = placeholders
        self._defaults = defaults
        self._longest_names: dict[tuple[str, str], str] = {}

    @classmethod
    def load(cls, folder: Path, **defaults: str) -> Self:
        """Read the PO files of `folder/messages` and prove every text.

        Args:
            folder: the templates folder.
            defaults: values that hold for every text (`ussd`, `service`, `months`).

        Raises:
            CatalogueError: anything is wrong; all faults are listed, a line each.
        """
        folder = folder / "messages"
        texts, fuzzy, names, numbers = {}, {}, {}, {}
        try:
            declared = tomllib.loads((folder / "placeholders.toml").read_text("utf-8"))
            for path in sorted(folder.glob("*.po")):
                file = po.read(path)
                texts[path.stem], fuzzy[path.stem] = file.texts, file.fuzzy
                name = file.metadata.get("X-Language-Name", path.stem)
                names[f"option_language_{path.stem}"] = name
                numbers[file.metadata.get("X-Menu-Number", "")] = path.stem
        except (OSError, ValueError) as error:
            raise CatalogueError(f"the texts in {folder} cannot be read: {error}") from None
        if FALLBACK not in texts:
            raise CatalogueError(f"{folder} has no {FALLBACK}.po")
        if len(numbers) < len(texts) or not all(n.isdecimal() and n[0] != "0" for n in numbers):
            raise CatalogueError("each PO file needs a header X-Menu-Number of its own, from 1 up")
        for spoken in texts.values():
            spoken |= names
        placeholders = {
            name: Placeholder(
                longest=entry.get("longest", ""),
                names=entry.get("names", ""),
                cut=entry.get("over") == "cut",
            )
            for name, entry in declared.items()
        }
        numbers = dict(sorted(numbers.items(), key=lambda item: int(item[0])))
        catalogue = cls(texts, fuzzy, numbers, placeholders, defaults)
        if faults := catalogue.faults():
            raise CatalogueError("\n".join(faults))
        return catalogue

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.menu_numbers.values())

    def keys_of(self, prefix: str = "") -> list[str]:
        """All keys (of one kind), in the order of the English file."""
        return [key for key in self._texts[FALLBACK] if key.startswith(prefix)]

    def render(self, key: str, language: str | None, **values: object) -> str:
        """The text of `key`, filled. Unknown languages and missing texts are English.

        A value is folded into the GSM alphabet; a letter of it that cannot be becomes `?`, so that
        an odd place name stops no message. Values of named placeholders (`crop`, `disease`) are the
        name's own key (`maize`). A value longer than declared is cut or refused as declared.

        Raises:
            CatalogueError: no such key, a value missing, unknown or too long.
        """
        return self._filled(key, language, values, whole=False)

    def whole(self, key: str, language: str | None, **values: object) -> str:
        """As `render`, with values of any length: for a screen, which is cut into pages."""
        return self._filled(key, language, values, whole=True)

    def _filled(
        self, key: str, language: str | None, values: Mapping[str, object], *, whole: bool
    ) -> str:
        language = language if language in self._texts else FALLBACK

        def value(match: re.Match[str]) -> str:
            name = match[1]
            given = values.get(name, self._defaults.get(name))
            if given is None:
                raise CatalogueError(f"{key} [{language}]: no value for {{{name}}}")
            placeholder = self._placeholders[name]
            if placeholder.names:
                return self.text(f"{placeholder.names}{given}", language)
            filled = _readable(str(given))
            room = gsm7.septets(placeholder.longest)
            if whole or gsm7.septets(filled) <= room:
                return filled
            if placeholder.cut:
                return gsm7.cut(filled, room)
            raise CatalogueError(f"{key} [{language}]: {{{name}}} is longer than {room} septets")

        return PLACEHOLDER.sub(value, self.text(key, language))

    def text(self, key: str, language: str | None) -> str:
        """The text of `key` with its braces unfilled. Raises: CatalogueError when there is none."""
        for code in (language, FALLBACK):
            found = self._texts.get(code or "", {}).get(key)
            if found is not None:
                return found
        raise CatalogueError(f"{key} [{language}]: no such text")

    def translated(self, key: str, language: str) -> bool:
        """Whether the language has this text itself."""
        return key in self._texts[language]

    def longest(self, key: str, language: str) -> str:
        """The text of `key` with every placeholder at its longest value."""

        def value(match: re.Match[str]) -> str:
            placeholder = self._placeholders[match[1]]
            if not placeholder.names:
                return placeholder.longest
            return self._longest_name(placeholder.names, language)

        return PLACEHOLDER.sub(value, self.text(key, language))

    def _longest_name(self, kind: str, language: str) -> str:
        known = self._longest_names
        if (kind, language) not in known:
            names = (self.text(name, language) for name in self.keys_of(kind))
            known[kind, language] = max(names, key=gsm7.septets)
        return known[kind, language]

    def room(self, name: str) -> int:
        """Septets that every text leaves for this placeholder."""
        return gsm7.septets(self._placeholders[name].longest)

    def tells_costs(self) -> bool:
        """Whether it is known what an SMS and a dial cost a farmer."""
        return bool(self._defaults.get("sms_cost") and self._defaults.get("dial_cost"))

    def longest_values(self) -> dict[str, str]:
        """Every placeholder that holds a plain value, at its longest, to prove whole screens."""
        return {name: p.longest for name, p in self._placeholders.items() if not p.names}

    def unreviewed(self, language: str) -> frozenset[str]:
        """Keys of the texts that nobody has reviewed."""
        return self._fuzzy.get(language, frozenset())

    def review_state(self) -> dict[str, tuple[int, int]]:
        """For each language: how many texts are unreviewed, of how many."""
        return {code: (len(self._fuzzy[code]), len(texts)) for code, texts in self._texts.items()}

    def lengths(self) -> list[tuple[str, str, int, int]]:
        """(key, language, septets at the longest, limit) of every text. Call it on a proved one."""
        return [
            (key, code, gsm7.septets(self.longest(key, code)), _limit(key))
            for code, texts in self._texts.items()
            for key in texts
        ]

    def faults(self) -> list[str]:
        """Every reason why these texts may not be used; one line each, empty when all is well."""
        found = []
        for name, placeholder in self._placeholders.items():
            if gsm7.outside(placeholder.longest):
                found.append(f"placeholders.toml: longest {{{name}}} is not in the GSM alphabet")
            default = self._defaults.get(name)
            room = gsm7.septets(placeholder.longest)
            if default is not None and gsm7.septets(_readable(default)) > room:
                found.append(
                    f"placeholders.toml: {{{name}}} is set to {default!r}, longer than its longest"
                )
        for code, texts in self._texts.items():
            for key in {**texts, **self._texts[FALLBACK]}:
                text = self.text(key, code)
                found += [f"{key} [{code}]: {fault}" for fault in self._faults_of(key, code, text)]
        return found

    def _faults_of(self, key: str, language: str, text: str) -> list[str]:
        english = self._texts[FALLBACK].get(key)
        if english is None:
            return ["no such key in English"]
        used = holes(text)
        if unknown := sorted(used - set(self._placeholders)):
            return [f"unknown placeholder {{{name}}}" for name in unknown]
        if used != holes(english):
            return ["placeholders differ from English"]
        if letters := gsm7.outside(text):
            return [str(gsm7.NotGsm(letters))]
        length, limit = gsm7.septets(self.longest(key, language)), _limit(key)
        return [f"{length} septets at its longest, limit {limit}"] if length > limit else []


def _limit(key: str) -> int:
    return next((n for prefix, n in LIMITS.items() if key.startswith(prefix)), SMS_LIMIT)


def _readable(value: str) -> str:
    try:
        return gsm7.fold(value)
    except gsm7.NotGsm as error:
        return gsm7.fold(value.translate(dict.fromkeys(map(ord, error.letters), "?")))
