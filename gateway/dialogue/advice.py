"""An officer's words on their way to a farmer: never cut. Up to three numbered SMS carry them, or
they are refused with how many letters fit. The same by SMS, by USSD and on the page. Pure."""

from __future__ import annotations

from gateway.cases.escalation import Said
from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import Catalogue

WHOLE = "officer_closing"
"""One SMS, with how to go on; it has room for a `note`."""
PART = "officer_words"
"""One SMS or part of more words, with who answers and nothing else."""
SAFETY = "officer_safety"
MOST = 3
"""SMS that one answer may take; a product's safety words are one more."""


class BadNote(ValueError):
    """Words that cannot be sent as they are.

    `reason` is `empty`, `letters` or `too_long`; `detail` the letters, or by how many septets;
    `fits` how many letters of these words would have been sent.
    """

    def __init__(self, reason: str, detail: str = "", fits: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.detail, self.fits = reason, detail, fits


def tidy(words: str) -> str:
    """One line in the GSM alphabet. Raises: BadNote."""
    try:
        said = gsm7.fold(" ".join(words.split()))
    except gsm7.NotGsm as error:
        raise BadNote("letters", " ".join(error.letters)) from None
    if not said:
        raise BadNote("empty")
    return said


def pieces(texts: Catalogue, words: str) -> list[str]:
    """The words, an SMS each, on word borders; as many as it takes.

    Args:
        words: in the GSM alphabet.
    """
    if gsm7.septets(words) <= texts.room("note"):
        return [words]
    rest, found = words, []
    while rest:
        found.append(gsm7.cut(rest, texts.room("words")))
        rest = rest[len(found[-1]) :].lstrip()
    return found


def split(texts: Catalogue, words: str) -> list[str]:
    """As `pieces`. Raises: BadNote when they take more than `MOST`."""
    found = pieces(texts, words)
    if over := " ".join(found[MOST:]):
        fits = len(words) - len(over)
        raise BadNote("too_long", str(gsm7.septets(over)), fits)
    return found


def numbered(found: list[str]) -> list[tuple[str, str]]:
    """(what stands before it, the piece): `1/2 ` where there are several."""
    of = len(found)
    return [(f"{number}/{of} " if of > 1 else "", one) for number, one in enumerate(found, 1)]


def beside(texts: Catalogue, words: str) -> list[Said]:
    """The words as they go with a message that says what it is about. Raises: BadNote."""
    parts = numbered(split(texts, words))
    return [Said(PART, {"part": part, "words": piece}) for part, piece in parts]


def said(texts: Catalogue, words: str, *, safety: bool = False) -> list[Said]:
    """What the farmer is sent, in order. Raises: BadNote.

    Args:
        safety: the words name a product or a dose, so the safety words go with them.
    """
    if gsm7.septets(words) <= texts.room("note"):
        found = [Said(WHOLE, {"note": words})]
    else:
        found = beside(texts, words)
    return [*found, Said(SAFETY)] if safety else found
