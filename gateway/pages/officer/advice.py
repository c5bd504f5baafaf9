"""The words of an officer on their way to a farmer: chosen or written, counted, seen beforehand."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.agronomy import CROP_OF
from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import Catalogue

OWN = "own"
"""The choice of writing oneself."""
TEMPLATE = "officer_closing"
PREFIX = "note_"
LONGEST_TYPED = 500


class BadNote(ValueError):
    """Words that cannot be sent as they are.

    `reason` is `empty`, `letters` or `too_long`; `detail` the letters, or by how many septets.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Draft:
    """What an officer entered: fit to be sent (`said`), or with a fault."""

    choice: str
    own: str
    said: str = ""
    fault: BadNote | None = None


@dataclass(frozen=True)
class Advice:
    """One of the texts to choose from: its key, its name for the officer, its words."""

    key: str
    name: str
    words: str


def choices(
    texts: Catalogue, farmer: str, officer: str, label: str | None, crop: str | None
) -> list[Advice]:
    """All texts to choose from, in the farmer's language, named in the officer's.

    First what fits the label, then the crop, then any crop, and last what is for other crops.
    """

    def distance(key: str) -> int:
        about = label_of(key)
        if about is None:
            return 2
        return 0 if about == label else 1 if CROP_OF[about] == crop else 3

    return [
        Advice(key, texts.text(f"option_{key}", officer), texts.text(key, farmer))
        for key in sorted(texts.keys_of(PREFIX), key=distance)
    ]


def words(texts: Catalogue, farmer: str, choice: str, own: str) -> str:
    """What the farmer will read of the officer, in the GSM alphabet and short enough.

    Args:
        farmer: her language.
        choice: key of a text, or `OWN`.
        own: what was written, used when that was chosen.

    Raises: BadNote.
    """
    if choice in texts.keys_of(PREFIX):
        return texts.text(choice, farmer)
    if choice != OWN:
        raise BadNote("empty")
    try:
        said = gsm7.fold(" ".join(own[:LONGEST_TYPED].split()))
    except gsm7.NotGsm as error:
        raise BadNote("letters", " ".join(error.letters)) from None
    if not said:
        raise BadNote("empty")
    over = gsm7.septets(said) - texts.room("note")
    if over > 0:
        raise BadNote("too_long", str(over))
    return said


def draft(texts: Catalogue, farmer: str, choice: str, own: str) -> Draft:
    """As `words`, with the fault as a value."""
    own = own[:LONGEST_TYPED]
    try:
        return Draft(choice, own, said=words(texts, farmer, choice, own))
    except BadNote as fault:
        return Draft(choice, own, fault=fault)


def label_of(choice: str) -> str | None:
    """The label that a text to choose says, if it says one."""
    label = choice.removeprefix(PREFIX)
    return label if label in CROP_OF else None


def preview(texts: Catalogue, farmer: str, code: str, phone: str, note: str = "{note}") -> str:
    """The message exactly as it will arrive; by default with a gap where the words go."""
    return texts.render(TEMPLATE, farmer, case=code, note=note, officer_phone=phone)


def tables() -> dict[str, object]:
    """The GSM alphabet for counting on the page as the sender counts."""
    return {
        "basic": "".join(sorted(gsm7.BASIC)),
        "extension": "".join(sorted(gsm7.EXTENSION)),
        "fold": gsm7.FOLD,
    }
