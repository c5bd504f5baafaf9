"""The words of an officer on their way to a farmer: chosen or written, counted, seen beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.agronomy import CROP_OF, products
from gateway.cases.escalation import Said
from gateway.dialogue import gsm7
from gateway.dialogue.advice import PART, WHOLE, BadNote, split, tidy
from gateway.dialogue.catalogue import Catalogue
from gateway.teaching import labels

OWN = "own"
"""The choice of writing oneself."""
PREFIX = "note_"
LONGEST_TYPED = 2000
"""Letters that are kept of what cannot be sent."""


@dataclass(frozen=True)
class Draft:
    """What an officer entered: fit to be sent (`said`), or with a fault."""

    choice: str
    own: str
    said: str = ""
    fault: BadNote | None = None
    safe: bool = False
    """The officer says that a product or a dose is meant, and goes with the safety words."""
    label: str | None = None
    """What the officer says it is, in the same step."""
    instead: str = ""
    """And in words, where it is none of the known."""


@dataclass(frozen=True)
class Advice:
    """One of the texts to choose from: its key, its name for the officer, its words."""

    key: str
    name: str
    words: str


def choices(
    texts: Catalogue,
    farmer: str,
    officer: str,
    label: str | None,
    crop: str | None,
    *,
    alike: bool = True,
) -> list[Advice]:
    """All texts to choose from, in the farmer's language, named in the officer's.

    First what fits the label, then the crop, then any crop; nothing that is for another crop.

    Args:
        alike: otherwise cases of more crops than one are answered: only what is for any crop.
    """

    def distance(key: str) -> int:
        about = label_of(key)
        if about is None:
            return 2
        return 0 if about == label else 1

    def fits(key: str) -> bool:
        about = label_of(key)
        return about is None or (alike and about in labels.choices(crop))

    return [
        Advice(key, texts.text(f"option_{key}", officer), texts.text(key, farmer))
        for key in sorted(filter(fits, texts.keys_of(PREFIX)), key=distance)
    ]


def words(
    texts: Catalogue, farmer: str | None, choice: str, own: str, *, safe: bool = False
) -> str:
    """What the farmer will read of the officer, in the GSM alphabet and never cut.

    Args:
        farmer: her language.
        choice: key of a text, or `OWN`.
        own: what was written, used when that was chosen.
        safe: a product or a dose is meant.

    Raises: BadNote; its reason is `product` too.
    """
    if choice in texts.keys_of(PREFIX):
        return texts.text(choice, farmer)
    if choice != OWN:
        raise BadNote("empty")
    said = tidy(own)
    split(texts, said)
    if not safe and (named := products.found(said)):
        raise BadNote("product", ", ".join(named))
    return said


def draft(
    texts: Catalogue, farmer: str | None, choice: str, own: str, *, safe: bool = False
) -> Draft:
    """As `words`, with the fault as a value."""
    try:
        said = words(texts, farmer, choice, own, safe=safe)
        return Draft(choice, own, said=said, safe=safe)
    except BadNote as fault:
        return Draft(choice, own[:LONGEST_TYPED], fault=fault)


def label_of(choice: str) -> str | None:
    """The label that a text to choose says, if it says one."""
    label = choice.removeprefix(PREFIX)
    return label if label in CROP_OF else None


def preview(texts: Catalogue, farmer: str, code: str, phone: str, said: Sequence[Said]) -> str:
    """The messages exactly as they will arrive, an empty line between two."""
    known = {"case": code, "officer_phone": phone}
    sent = (texts.render(one.template, farmer, **{**known, **one.values}) for one in said)
    return "\n\n".join(sent)


def frames(texts: Catalogue, farmer: str, code: str, phone: str) -> dict[str, str]:
    """The farmer's message with gaps where the words go: whole, and as a part of several."""
    known = {"case": code, "officer_phone": phone}
    return {
        "whole": texts.render(WHOLE, farmer, note="{note}", **known),
        "part": texts.whole(PART, farmer, part="{part}", words="{note}", **known),
    }


def tables() -> dict[str, object]:
    """The GSM alphabet for counting on the page as the sender counts."""
    return {
        "basic": "".join(sorted(gsm7.BASIC)),
        "extension": "".join(sorted(gsm7.EXTENSION)),
        "fold": gsm7.FOLD,
    }
