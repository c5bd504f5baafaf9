"""What kind of text an officer wrote, beside the code: advice for a farmer, or none. Pure.

Whatever is not clearly advice is acted on or asked back; only advice is relayed as it comes in.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum, auto

from gateway.dialogue import promises
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.po import PLACEHOLDER
from gateway.dialogue.sms import small_talk as table
from gateway.dialogue.sms.words import Command, Vocabulary, around_code, find_code, plain

QUOTES = "\"'“”„‟«»‹›‘’`"
NOT_OURS = ("note_", "diag_", "prevent_", "option_", "crop_", "disease_", "state_", "keyword_",
            "ussd_about_", "why_", "sprayed_", "officer_safety", "officer_words")  # fmt: skip
"""Texts that an officer may send on as advice, or that are too short to know again."""
TO_OFFICERS = ("officer_", "escalation_officer", "help", "language_", "incident")
TO_FARMERS = ("officer_closing", "officer_undone")
TELLING = 14
"""Letters of a text of ours from which on it is known again."""
SHARE = 0.6
"""Of a text's own letters, how many must be there, in order."""
REACTED_TO = 4
GREETED = 2
STOPPED = 8
"""Words up to which a word for STOP and one for messages are a wish."""
RUN = 5
"""Words of ours in one run that are known again by themselves."""


class Kind(StrEnum):
    ADVICE = auto()
    PROMISE = auto()
    """Says who comes or calls: relayed, and the case stays open."""
    SHORT = auto()
    """One word: relayed when the officer says so."""
    QUESTION = auto()
    """The same."""
    SMALL = auto()
    """Thanks, a greeting, a yes, a number."""
    ABSENT = auto()
    PHOTO = auto()
    PASS = auto()
    REACTION = auto()
    OURS = auto()
    """A text of ours, sent back."""
    AUTOMATIC = auto()
    UNDO = auto()
    OFF = auto()
    ON = auto()
    LIST = auto()
    COMMAND = auto()
    """A keyword of the farmers' list."""
    SHOW = auto()
    """Nothing, or a question mark: the case is to be shown."""


@dataclass(frozen=True)
class OwnTexts:
    """What we write, as it would be known again."""

    texts: tuple[tuple[tuple[str, ...], bool], ...]
    """(what stands between the placeholders of a text, whether a run of it is enough)."""

    @classmethod
    def of(cls, texts: Catalogue) -> OwnTexts:
        found = set()
        for language in texts.languages:
            for key in texts.keys_of():
                if key.startswith(NOT_OURS):
                    continue
                to_officers = key.startswith(TO_OFFICERS) and key not in TO_FARMERS
                ends = r"\0|[.:?!]\s" if to_officers else r"\0"
                text = PLACEHOLDER.sub("\0", texts.text(key, language))
                parts = tuple(filter(None, (plain(part) for part in re.split(ends, text))))
                if sum(map(len, parts)) >= TELLING:
                    found.add((parts, to_officers))
        return cls(tuple(sorted(found)))

    def known(self, typed: str) -> bool:
        """Whether a text contains what we write: all of it, most of it, or a run of what we write
        to officers. What we tell farmers is advice too, of which an officer may say a sentence."""
        said = f" {plain(typed)} "
        return any(_within(said, parts, run) for parts, run in self.texts)


def _within(said: str, parts: tuple[str, ...], run: bool) -> bool:
    at = matched = 0
    for part in parts:
        position = said.find(f" {part} ", at)
        if position < 0:
            continue
        if run and len(part.split()) >= RUN and len(part) >= TELLING:
            return True
        at, matched = position + len(part) + 1, matched + len(part)
    return matched >= TELLING and matched >= SHARE * sum(map(len, parts))


def kind(text: str, words: Vocabulary, ours: OwnTexts) -> Kind:
    """What the text is; `text` without a case code."""
    said = plain(text)
    tokens = said.split()
    if not tokens:
        return Kind.SHOW if not text.strip(" ?!.,;:-" + QUOTES) else Kind.SMALL
    if reaction(text):
        return Kind.REACTION
    if ours.known(text) or _briefing(text):
        return Kind.OURS
    if any(f" {phrase}" in f" {said}" for phrase in table.AUTOMATIC):
        return Kind.AUTOMATIC
    for test, found in _WISHES:
        if test(tokens, said):
            return found
    if command(text, words) is not None:
        return Kind.COMMAND
    if _small(tokens):
        return Kind.SMALL
    if set(tokens) & table.ABSENT_SURE and set(tokens) <= table.ABSENT | table.SMALL:
        return Kind.ABSENT
    if promises.how(text):
        return Kind.PROMISE
    if len(tokens) == 1:
        return Kind.SHORT
    asks = _question(text, tokens) or _of_oneself(tokens) or _of_a_photo(tokens)
    return Kind.QUESTION if asks else Kind.ADVICE


def _briefing(text: str) -> bool:
    """What only our messages to officers hold: a link to a case, or the farmer's number in the
    international form beside a code with its crop, or beside a percentage."""
    if re.search(r"/o/[\w-]{6,}", text):
        return True
    code, _ = find_code(text)
    headed = bool(code) and re.search(rf"{code}\s+\w+(?:\s\S+)?\s?:", text.upper()) is not None
    return bool(re.search(r"\+\d{9,15}\b", text)) and (headed or "%" in text)


def reaction(text: str) -> bool:
    """`Liked “...”`, or emoji before a quoted text."""
    typed = text.strip()
    bare = plain(typed).split()
    if bare[:1] and bare[0] in table.REACTED and 1 < len(bare) <= REACTED_TO:
        return True
    match = re.fullmatch(rf"(.{{0,40}}?)\s*[{QUOTES}](.*)", typed, re.DOTALL)
    if match is None:
        return False
    before = plain(match[1]).split()
    if any(token in table.REACTIONS for token in before[:3]) or "REMOVED" in before[:1]:
        return True
    pictures = any(unicodedata.category(c) in ("So", "Sk") for c in match[1])
    return pictures and len(before) <= 3


def parted(text: str) -> tuple[str, str]:
    """(the case code; the words without it and without what our own instructions say around them:
    `SMS`, `CASE`, `Answer`, quotation marks, dots that stand for words, a further code)."""
    code, before, after = around_code(text)
    if set(plain(before).split()) <= table.OURS:
        before = ""
    return code, _unquoted(_taken_off(f"{before} {after}".strip(), bool(code)), text)


def _taken_off(text: str, coded: bool) -> str:
    rest, before = text.strip(), ""
    while rest != before:
        before = rest
        rest = rest.lstrip(" .,:;-–—>/…#*()[]<")
        match = re.match(r"[^\W_]+", rest)
        if match is None:
            break
        word, after = plain(match[0]), rest[match.end() :]
        if coded:
            ours = word in table.OURS and _leads_to_code(after)
            rest = after if ours else _after_code(rest)
        elif word in table.OURS_BARE and after.lstrip().startswith(":"):
            rest = after
    return rest.rstrip()


def _leads_to_code(after: str) -> bool:
    code, rest = find_code(after)
    return bool(code) and len(after) - len(rest) <= len(code) + 6


def _after_code(text: str) -> str:
    """What follows a further code at the start; the text as it is where there is none."""
    for width in range(1, 4):
        match = re.match(rf"(?:[^\W_]+[\s.-]*){{{width}}}", text)
        code, left = find_code(match[0]) if match else ("", "")
        if match and code and not left:
            return text[match.end() :]
    return text


def _unquoted(rest: str, text: str) -> str:
    """Without the marks around all of it, also where the first stood before a code."""
    marks = sum(c in QUOTES for c in rest)
    if marks == 2 and rest[0] in QUOTES and rest[-1] in QUOTES:
        return rest[1:-1].strip()
    lone = marks % 2 and text.strip()[:1] in QUOTES
    return rest[:-1].rstrip() if lone and rest[-1:] in QUOTES else rest


def says_yes(text: str) -> bool:
    tokens = plain(text).split()
    return (
        bool(tokens)
        and len(tokens) <= 3
        and set(tokens) <= table.YES | table.SMALL
        and (tokens[0] in table.YES)
    )


def _small(tokens: list[str]) -> bool:
    if all(token in table.SMALL or token.isdigit() for token in tokens):
        return True
    greets = tokens[0] in table.GREETINGS and len(tokens) == GREETED
    return greets or (tokens[0] in table.WISHES and len(tokens) <= table.WISHED)


def _question(text: str, tokens: list[str]) -> bool:
    if len(tokens) <= table.QUESTION_WORDS:
        opens = tokens[0] in table.QUESTION | table.ADVERBS
        if tokens[0] in table.ADVERBS:
            opens = tokens[1] in table.VERBS
        if opens or tokens[-1] in table.QUESTION:
            return True
    body = text.rstrip(" " + QUOTES)
    return body.endswith("?") and re.search(r"[.!;]\s", body) is None


def _of_oneself(tokens: list[str]) -> bool:
    begins = tokens[0] in table.OF_ONESELF or tokens[0].startswith(table.OF_ONESELF_BEGINS)
    return begins and len(tokens) <= table.ONESELF_WORDS


def _of_a_photo(tokens: list[str]) -> bool:
    return bool(set(tokens) & table.PHOTO) and len(tokens) <= table.ONESELF_WORDS


def command(text: str, words: Vocabulary) -> Command | None:
    """The keyword of the farmers' list that the text is, small talk around it aside."""
    tokens = plain(text).split()
    meant = [words.keywords[token][0] for token in tokens if token in words.keywords]
    if not meant:
        return None
    if Command.STOP in meant and set(tokens) & table.MESSAGES and len(tokens) <= STOPPED:
        return Command.STOP
    known = table.SMALL | words.keywords.keys() | words.languages.keys()
    small = all(token in table.SMALL for token in tokens)
    return meant[0] if set(tokens) <= known and not small else None


def _undo(tokens: list[str], said: str) -> bool:
    return bool(set(tokens) & table.UNDO) and set(tokens) <= table.UNDO | table.SMALL


def _off(tokens: list[str], said: str) -> bool:
    if tokens[0] not in table.OFF | table.DUTY or not set(tokens) & table.OFF:
        return False
    if tokens[0] in table.OFF and set(tokens[1:2]) & table.UNTIL:
        return True
    months = {name for row in promises.MONTHS for name in row}
    known = table.OFF | table.DUTY | table.UNTIL | table.SMALL | months
    return all(token in known or token[0].isdigit() for token in tokens)


def _on(tokens: list[str], said: str) -> bool:
    if not set(tokens) & table.ON - {"ON"} and tokens[-1] != "ON" and tokens[:2] != ["ON", "DUTY"]:
        return False
    return set(tokens) <= table.ON | table.DUTY | table.SMALL and "OFF" not in tokens


def _list(tokens: list[str], said: str) -> bool:
    return bool(set(tokens) & table.LIST) and set(tokens) <= table.LIST | _SHOWING


_SHOWING = frozenset({"MY", "SHOW", "ALL", "THE", "MES", "LES", "PLEASE", "SVP", "TAFADHALI"})


def _photo(tokens: list[str], said: str) -> bool:
    some = set(tokens)
    return bool(some & table.PHOTO) and some <= table.PHOTO | table.PHOTO_ASKED | table.SMALL


def _pass(tokens: list[str], said: str) -> bool:
    some = set(tokens)
    sure = some & table.PASS_SURE or any(f" {p} " in f" {said} " for p in table.PASS_PHRASES)
    return bool(sure) and some <= table.PASS | table.PASS_SURE | table.SMALL


_WISHES = (
    (_undo, Kind.UNDO),
    (_photo, Kind.PHOTO),
    (_pass, Kind.PASS),
    (_off, Kind.OFF),
    (_on, Kind.ON),
    (_list, Kind.LIST),
)
