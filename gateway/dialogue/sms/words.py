"""Reading what people type: keywords in every language, case codes, slips of the thumb. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.cases import codes
from gateway.dialogue.catalogue import Catalogue

LONGEST = 1600
"""Characters of one message that we read: ten parts."""
FORGIVEN = 4
"""Letters from which on a keyword may have one slip in it."""
SHORT = 3
"""Words of a message up to which any keyword at its start is meant as one. In a longer message
only a language's first word for a command is: "end of season, what to plant?" is no STOP."""


class Command(StrEnum):
    """What a farmer asks for; the value is the tail of the catalogue's key."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    RESULT = "result"
    MORE = "more"
    OFFICER = "officer"
    LANGUAGE = "language"


@dataclass(frozen=True)
class Reading:
    """What a message says."""

    command: Command | None
    rest: str = ""
    """What follows the keyword, as typed."""
    code: str = ""
    """The first case code in it, or an empty text."""
    language: str = ""
    """The language of the keyword, where only one language has it."""
    alone: bool = False
    """The keyword is the whole message."""


@dataclass(frozen=True)
class Vocabulary:
    """Keywords of all languages, and the names of languages and of what a leaf may have."""

    keywords: Mapping[str, tuple[Command, str]]
    first: frozenset[str]
    """The first word of each language for each command."""
    languages: Mapping[str, str]
    labels: Mapping[str, str]

    @classmethod
    def of(cls, texts: Catalogue) -> Vocabulary:
        """From the catalogue: `keyword_*` lists, language names, `disease_*` names."""
        keywords: dict[str, tuple[Command, str]] = {}
        languages: dict[str, str] = {}
        labels: dict[str, str] = {}
        first: set[str] = set()
        for code in texts.languages:
            for command in Command:
                listed = texts.text(f"keyword_{command.value}", code).split(",")
                first.add(plain(listed[0]))
                for word in listed:
                    # The same word in two languages says nothing about which is meant.
                    known = keywords.get(plain(word))
                    keywords[plain(word)] = (command, "" if known else code)
            languages[plain(code)] = code
            languages[plain(texts.text(f"option_language_{code}", code))] = code
            for key in texts.keys_of("disease_"):
                label = key.removeprefix("disease_")
                for name in (texts.text(key, code), label.replace("_", " ")):
                    labels |= dict.fromkeys((plain(name), plain(name).split()[-1]), label)
        labels.pop("UNKNOWN", None)
        return cls(keywords, frozenset(first), languages, labels)

    def read(self, text: str) -> Reading:
        """What a farmer's message says. A slip is forgiven only where little else is written."""
        typed = text[:LONGEST]
        code, without = find_code(typed)
        words = plain(typed).split()
        if not words:
            return Reading(None)
        found = self.keywords.get(words[0])
        if len(words) > SHORT and words[0] not in self.first:
            found = None
        if found is None and len(words) <= 2:
            found = self._nearly(words[0])
        if found is None:
            # A bare code asks for its result.
            bare = bool(code) and not plain(without)
            return Reading(Command.RESULT if bare else None, rest=without, code=code)
        rest = re.sub(r"^\W*\w+", "", typed, count=1).strip(" .,:;-\r\n\t")
        return Reading(found[0], rest, code, found[1], alone=len(words) == 1)

    def language(self, typed: str) -> str | None:
        """The language that is named, by code or by name."""
        words = plain(typed).split()
        return next((self.languages[word] for word in words if word in self.languages), None)

    def label(self, typed: str) -> str | None:
        """The disease that is named, in any language; or None."""
        name = plain(typed)
        for candidate in (name, *reversed(name.split())):
            if candidate in self.labels:
                return self.labels[candidate]
        return None

    def _nearly(self, word: str) -> tuple[Command, str] | None:
        if len(word) < FORGIVEN:
            return None
        near = {
            self.keywords[keyword]
            for keyword in self.keywords
            if len(keyword) >= FORGIVEN and one_slip(word, keyword)
        }
        commands = {command for command, _ in near}
        return next(iter(near)) if len(commands) == 1 else None


def plain(text: str) -> str:
    """Capitals without accents or punctuation, one blank between words."""
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", "".join(bare)).strip().upper()


def find_code(text: str) -> tuple[str, str]:
    """(the case code among the first words, or an empty text; the text without it)."""
    words = list(re.finditer(r"\S+", text[:LONGEST]))[:3]
    for word in words:
        try:
            code = codes.parse(word[0].strip(".,:;!?()\"'"))
        except codes.BadCode:
            continue
        return code, (text[: word.start()] + text[word.end() :]).strip(" .,:;-\r\n\t")
    return "", text.strip()


def looks_like_code(word: str) -> bool:
    """Whether somebody meant a case code, though it is not a right one."""
    bare = word.strip(".,:;!?()\"'-")
    return len(bare) in (6, 7, 8) and bare.isalnum() and any(c.isdigit() for c in bare)


def one_slip(typed: str, meant: str) -> bool:
    """Whether one letter was changed, dropped, added or swapped with its neighbour."""
    if abs(len(typed) - len(meant)) > 1:
        return False
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    left, right = typed[start:], meant[start:]
    return (
        left[1:] == right[1:]
        or left == right[1:]
        or left[1:] == right
        or (left[:2] == right[:2][::-1] and left[2:] == right[2:])
    )
