"""Reading what people type: keywords in every language, case codes, slips of the thumb. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.agronomy import DISEASES
from gateway.agronomy.symptoms import TROUBLES
from gateway.agronomy.table import CROP_ROWS
from gateway.cases import codes
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.sms import meaning
from gateway.words import one_slip
from gateway.words import plain as plain
from gateway.words import typed as as_typed

LONGEST = 1600
"""Characters of one message that we read: ten parts."""
FORGIVEN = 4
"""Letters from which on a keyword may have one slip in it."""
LONG = 7
"""Letters from which on any slip in a word for STOP is forgiven; in a shorter one only a swapped or
a doubled letter, for many words differ from it by one letter and nobody wants to be cut off."""
SHORT = 3
"""Words of a message up to which any keyword at its start is meant as one. In a longer message
only a language's first word for a command is, or a long word for STOP."""
CODE_AMONG = 4
"""Words of a message among which a case code is looked for: "my code is ..." """


NAMES_OF = {row.code: row.names for row in CROP_ROWS}


class Command(StrEnum):
    """What a farmer asks for; the value is the tail of the catalogue's key."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    RESULT = "result"
    MORE = "more"
    OFFICER = "officer"
    MOVE = "move"
    LANGUAGE = "language"


@dataclass(frozen=True)
class Reading:
    """What a message says."""

    command: Command | None
    rest: str = ""
    """What follows the keyword, as typed."""
    code: str = ""
    """The first case code in it, or an empty text; it counts for no word."""
    language: str = ""
    """The language it is written in: of its words, or of the keyword where only one has it."""
    alone: bool = False
    """The keyword is the whole message."""
    own_words: bool = False
    """Beside a code it says something that is no keyword's and no wish for the result."""
    perhaps_stop: bool = False
    """It may be a wish for no more messages, or be about a field: it is to be asked."""


@dataclass(frozen=True)
class Vocabulary:
    """Keywords of all languages, and the names of languages and of what a leaf may have."""

    keywords: Mapping[str, tuple[Command, str]]
    first: frozenset[str]
    """The first word of each language for each command."""
    languages: Mapping[str, str]
    labels: Mapping[str, frozenset[str]]
    """Names of what a leaf may have, in any language, to the labels that are called so."""
    crops: Mapping[str, str]
    """Names of crops to their codes."""
    pages: Mapping[str, str]
    """Names of what there is a page of advice on though the model does not know it, to its code."""

    @classmethod
    def of(cls, texts: Catalogue) -> Vocabulary:
        """From the catalogue: `keyword_*` lists, language, `crop_*` and `disease_*` names."""
        keywords: dict[str, tuple[Command, str]] = {}
        languages: dict[str, str] = {}
        crops: dict[str, str] = {}
        named: dict[str, set[str]] = {}
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
            if texts.translated("language_names", code):
                for name in texts.text("language_names", code).split(","):
                    languages.setdefault(plain(name), code)
            for key in texts.keys_of("crop_"):
                crops[plain(texts.text(key, code))] = key.removeprefix("crop_")
            for label, row in DISEASES.items():
                name = plain(texts.text(f"disease_{label}", code))
                called_crop = [plain(crop) for crop in (*NAMES_OF[row.crop], row.crop)]
                for called in (name, name.split()[-1], plain(label), plain(label).split()[-1]):
                    for said in (called, *(f"{crop} {called}" for crop in called_crop)):
                        named.setdefault(said, set()).add(label)
        labels = {name: frozenset(meant) for name, meant in named.items()}
        for name in [name for name, crop in crops.items() if crop in ("unknown", "other")]:
            del crops[name]
        pages = {
            plain(name): row.code
            for row in TROUBLES
            if row.number
            for name in (*row.names, *_called(texts, row.code))
        }
        return cls(keywords, frozenset(first), languages, labels, crops, pages)

    def page(self, text: str) -> str:
        """What is asked about and has a page of advice, by its longest name; or an empty text."""
        written = f" {plain(text)} "
        named = [name for name in self.pages if f" {name} " in written]
        return self.pages[max(named, key=len)] if named else ""

    def read(self, text: str) -> Reading:
        """What a farmer's message says. A slip is forgiven only where little else is written. A
        case code asks for its result where no keyword asks for something else."""
        code, typed = find_code(as_typed(text[:LONGEST]))
        words = plain(typed).split()
        if not words:
            return Reading(Command.RESULT if code else None, code=code)
        alone = len(words) == 1 and not code
        skip = next((n for n, word in enumerate(words) if word not in meaning.POLITE), 0)
        found = self._keyword(words[skip:], words, bool(code)) or self._asked_for(words)
        wrote = meaning.language_of(words) or self._language_of_keyword(words)
        wrote = wrote or (found[1] if found else "")
        rest = re.sub(r"^\W*(\w+\W*)" + f"{{{skip + 1}}}", "", typed, count=1)
        rest = rest.strip(" .,:;-\r\n\t")
        if not wrote and (slip := self._nearly(words[0])):
            wrote = slip[1]
        wish = meaning.wants_stop(words)
        if wish or (wish is not None and found and found[0] is Command.STOP):
            return Reading(Command.STOP, rest, code, wrote, alone)
        if found is None or found[0] is Command.STOP:
            if not code and self._is_language(words):
                return Reading(Command.LANGUAGE, typed, code, wrote)
            command = Command.RESULT if code else None
            own = not meaning.asks_only(words)
            return Reading(command, typed, code, wrote, own_words=own, perhaps_stop=wish is None)
        return Reading(found[0], rest, code, wrote, alone)

    def _keyword(
        self, words: list[str], all_words: list[str], coded: bool
    ) -> tuple[Command, str] | None:
        """The command that these words begin with, where it is meant as one."""
        found = self.keywords.get(words[0])
        if found is None and len(words) <= 2:
            found = self._nearly(words[0])
            if found and found[0] is Command.START:
                found = None
        if found is None:
            return None
        command, rest = found[0], words[1:]
        match command:
            case Command.STOP:  # what is an exact word for it, `wants_stop` has judged
                meant = words[0] not in self.keywords
            case Command.START:
                meant = len(all_words) == 1 and not coded
            case Command.MORE | Command.HELP:
                meant = all(word in _BESIDE for word in rest)
            case Command.RESULT:
                asks = len(rest) <= SHORT or any(char.isdigit() for word in rest for char in word)
                meant = asks or meaning.asks_only(rest)
            case Command.LANGUAGE:
                meant = len(words) <= SHORT or self.language(" ".join(rest[:SHORT])) is not None
            case _:
                meant = words[0] in self.first or _meant(words[0], command, len(words))
        return found if meant else None

    def _asked_for(self, words: list[str]) -> tuple[Command, str] | None:
        """ "My result please", "I want an officer": a keyword among words that ask for it."""
        asked = [found for word in words if (found := self.keywords.get(word))]
        if (Command.LANGUAGE in {command for command, _ in asked}) and len(words) <= 2 * SHORT:
            named = self.language(" ".join(word for word in words if word not in self.keywords))
            return (Command.LANGUAGE, "") if named else None
        others = [word for word in words if word not in self.keywords]
        if len({command for command, _ in asked}) != 1 or not meaning.asks_only(others):
            return None
        return asked[0] if asked[0][0] in (Command.RESULT, Command.OFFICER) else None

    def _language_of_keyword(self, words: list[str]) -> str:
        spoken = {self.keywords[word][1] for word in words if word in self.keywords}
        return next(iter(spoken)) if len(spoken) == 1 else ""

    def _is_language(self, words: list[str]) -> bool:
        """A language's name and next to nothing beside it: "in English please"."""
        names = [
            word for word in words if self._language(word) and (len(word) > 2 or words == [word])
        ]
        others = [word for word in words if word not in names]
        return len(names) == 1 and all(
            word in meaning.POLITE or word in meaning.SPEAKING for word in others
        )

    def language(self, typed: str) -> str | None:
        """The language that is named, by its name in any language or by its code."""
        words = sorted(plain(typed).split(), key=lambda word: len(word) <= 2)
        return next((code for word in words if (code := self._language(word))), None)

    def _language(self, word: str) -> str | None:
        if word in self.languages or len(word) < LONG:
            return self.languages.get(word)
        near = {code for name, code in self.languages.items() if one_slip(word, name)}
        return next(iter(near)) if len(near) == 1 else None

    def crop(self, typed: str) -> str | None:
        """The crop that is named, in any language; or None."""
        return next((self.crops[w] for w in plain(typed).split() if w in self.crops), None)

    def crops_of(self, typed: str) -> set[str]:
        """All that are named."""
        return {self.crops[word] for word in plain(typed).split() if word in self.crops}

    def label(self, typed: str, among: Collection[str]) -> str | None:
        """The one of these labels that the words name and say nothing else; or None."""
        name = plain(typed)
        for polite in ("PLEASE", "SVP", "TAFADHALI"):
            name = name.removesuffix(f" {polite}")
        meant = self.labels.get(name, frozenset()) & set(among)
        return next(iter(meant)) if len(meant) == 1 else None

    def _nearly(self, word: str) -> tuple[Command, str] | None:
        if len(word) < FORGIVEN:
            return None
        near = {
            meant
            for keyword, meant in self.keywords.items()
            if len(keyword) >= FORGIVEN and _forgiven(word, keyword, meant[0])
        }
        commands = {command for command, _ in near}
        return next(iter(near)) if len(commands) == 1 else None


_BESIDE = meaning.MINE | meaning.LITTLE | meaning.POLITE | meaning.SEASON
"""What may stand behind MORE or HELP; behind anything else they begin a sentence."""


def nearest(text: str, known: Iterable[str]) -> str:
    """The one of these case codes from which something in the text differs by one slip; empty
    where none does, or several do."""
    pieces = [codes.letters(typed) for _, _, typed in _pieces(as_typed(text))]
    near = {code for code in known for piece in pieces if one_slip(piece, code)}
    return next(iter(near)) if len(near) == 1 else ""


def _called(texts: Catalogue, code: str) -> list[str]:
    return [texts.text(f"disease_{code}", language) for language in texts.languages]


def find_code(text: str) -> tuple[str, str]:
    """(the case code among the first words, whole or in up to three pieces, or an empty text; the
    text without it)."""
    code, before, after = around_code(text)
    return (code, (before + after).strip(" .,:;-\r\n\t")) if code else ("", text.strip())


def code_anywhere(text: str) -> str:
    """The case code among the first words, or else alone among the later ones; or an empty text."""
    code, _ = find_code(text)
    for typed in () if code else re.findall(r"[^\W_]+", text[:LONGEST]):
        try:
            return codes.parse(typed)
        except codes.BadCode:
            continue
    return code


def around_code(text: str) -> tuple[str, str, str]:
    """As `find_code`, with what stands before the code and what after it."""
    for start, end, typed in _pieces(text):
        try:
            code = codes.parse(typed)
        except codes.BadCode:
            continue
        before = re.sub(r"[^\w\s]+$", "", text[:start])  # brackets or a # around the code
        after = re.sub(r"^[^\w\s]+", "", text[end:])
        return code, before, after
    return "", "", text.strip()


def means_code(text: str) -> bool:
    """Whether one of the first words, or two of them together, is nearly a case code."""
    pieces = (typed for _, _, typed in _pieces(text))
    return any(_nearly_code(typed) for typed in pieces if typed.count(" ") < 2)


def _nearly_code(typed: str) -> bool:
    letters = typed.replace(" ", "")
    digit, vowel = any(c.isdigit() for c in letters), bool(set(plain(letters)) & set("AEIOUY"))
    whole = letters == typed
    alike = (
        (digit or not vowel) if whole else (digit and not vowel and len(letters) == codes.LENGTH)
    )
    return alike and codes.resembles(letters)


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and letters of each of the first words, alone and joined with the next ones."""
    words = list(re.finditer(r"[^\W_]+", text[:LONGEST]))[:CODE_AMONG]
    for first in range(len(words)):
        for last in range(first, min(first + 3, len(words))):
            typed = " ".join(word[0] for word in words[first : last + 1])
            yield words[first].start(), words[last].end(), typed


def _meant(keyword: str, command: Command, words: int) -> bool:
    """Whether a keyword that begins so long a message is meant as one: "unsubscribe me from this
    please" is, "end of season" is not."""
    if command is Command.STOP and len(keyword) >= LONG - 1:
        return True
    return words <= (SHORT if len(keyword) >= FORGIVEN else SHORT - 1)


def _forgiven(typed: str, keyword: str, command: Command) -> bool:
    if command is not Command.STOP or len(keyword) >= LONG:
        return one_slip(typed, keyword)
    doubled = any(typed[:i] + typed[i + 1 :] == keyword for i in range(1, len(typed))
                  if typed[i] == typed[i - 1])  # fmt: skip
    return doubled or (sorted(typed) == sorted(keyword) and one_slip(typed, keyword))
