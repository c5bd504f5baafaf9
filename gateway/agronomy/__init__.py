"""What is known of crops and their diseases: the rows of `table`, and what follows from them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from gateway.agronomy import advice, symptoms
from gateway.agronomy.table import (
    CROP_ROWS,
    DESK_CALL,
    DESK_OTHER,
    DESK_VISIT,
    DISEASE_ROWS,
    TOLD,
    Disease,
)
from gateway.words import unaccented

CROPS = tuple(row.code for row in CROP_ROWS if row.judged)
"""Crops of which photos can be judged."""
LABELS = tuple(row.label for row in DISEASE_ROWS)
DISEASES = {row.label: row for row in DISEASE_ROWS}
ADVISED = frozenset(row.label for row in DISEASE_ROWS if row.use == "advised")
CROP_OF = {row.label: row.crop for row in DISEASE_ROWS}

MANY = ("half", "most")
"""Shares of sick plants at which a crop that no photo speaks for yet can be urgent."""

CROP_TEXTS = ("crop_",)
ADVISED_TEXTS = ("disease_", "diag_", "prevent_", "ussd_", "ussd_about_", "note_", "option_note_")
REFUSED_TEXTS = ("disease_", "note_", "option_note_")
PAGE_TEXTS = ("operator_label_",)

LONGEST_CROP, LONGEST_LABEL = 16, 24
"""Letters that the store has room for."""

RESERVED = frozenset({"call", "none", "other", "own", "unknown", "visit"})
"""No label: the store and the keys of texts say something else with these."""

_NAMES = {name: row.code for row in CROP_ROWS if row.judged for name in (row.code, *row.names)}


class BadCrop(ValueError):
    """Not a crop that the service knows."""


class AgronomyError(Exception):
    """The table does not fit itself or the model; the message is one line that says what to do."""


def parse(raw: str) -> str:
    """The crop by its name in any of the service's languages. Raises: BadCrop."""
    crop = _NAMES.get(unaccented(raw.strip().casefold()))
    if crop is None:
        raise BadCrop(f"crop must be one of {', '.join(CROPS)}")
    return crop


def diseases_of(crop: str) -> list[Disease]:
    """What can be advised on a crop, in the order of its menu."""
    rows = (row for row in DISEASE_ROWS if row.crop == crop and row.use == "advised")
    return sorted(rows, key=lambda row: row.number)


def urgent(
    crop: str | None, stage: str | None, plants: str | None, label: str | None = None
) -> str | None:
    """Why a person must look at once, instead of a photo or advice first; None if nobody must.

    Most plants sick, a crop that no photo of ours can judge, or a disease at a stage at which it
    costs much. While no photo names the disease, any of the crop's may be it: that alone sends a
    person only where many plants are sick, as one photo of a few sick plants soon tells.

    Args:
        crop: as told, None when not told.
        label: what a photo looks like, if there is one.
    """
    if crop is not None and crop not in CROPS:
        return "unknown_crop"
    if plants == "most":
        return "most_plants"
    if label is not None:
        suspects = [DISEASES[label]] if label in DISEASES else []
    else:
        suspects = [row for row in DISEASE_ROWS if row.crop == crop and plants in MANY]
    if stage is not None and any(stage in row.urgent for row in suspects):
        return stage
    return None


def person_needed(crop: str | None, told: Mapping[str, str], label: str | None) -> str | None:
    """As `urgent`, and by all that was told of a disease that is named. One rule for photos and for
    reports without one."""
    why = urgent(crop, told.get("stage"), told.get("plants"), label if label in DISEASES else None)
    if why is None and label is not None:
        why = advice.advice(label, told).person or None
    return why


def texts() -> Iterator[tuple[str, list[str]]]:
    """(row, keys of the messages that it needs), for every row."""
    for crop in CROP_ROWS:
        yield crop.code, [prefix + crop.code for prefix in CROP_TEXTS]
    for row in DISEASE_ROWS:
        prefixes = ADVISED_TEXTS if row.use == "advised" else REFUSED_TEXTS
        yield row.label, [prefix + row.label for prefix in prefixes]
    yield from symptoms.texts()
    yield from advice.texts()


def page_texts() -> Iterator[tuple[str, list[str]]]:
    """(row, keys of the pages' texts that it needs), for every row that needs any."""
    for row in DISEASE_ROWS:
        yield row.label, [prefix + row.label for prefix in PAGE_TEXTS]


def check(model_labels: Iterable[str]) -> None:
    """Raises: AgronomyError when the table contradicts itself or is not the model's."""
    if faults := [*_contradictions(), *_strangers(model_labels)]:
        raise AgronomyError("; ".join(faults))


def _strangers(model_labels: Iterable[str]) -> Iterator[str]:
    known, ours = tuple(model_labels), [row.label for row in DISEASE_ROWS]
    if missing := [label for label in known if label not in ours]:
        yield f"the model knows {', '.join(missing)}, of which gateway/agronomy/table.py has no row"
    if missing := [label for label in ours if label not in known]:
        yield f"gateway/agronomy/table.py has a row of {', '.join(missing)}, unknown to the model"


def _contradictions() -> Iterator[str]:
    where = "gateway/agronomy/table.py"
    crops = {row.code: row.judged for row in CROP_ROWS}
    labels = [row.label for row in DISEASE_ROWS]
    for row in DISEASE_ROWS:
        if row.crop not in crops:
            yield f"{where}: {row.label} is of the crop {row.crop}, which has no row"
        elif not crops[row.crop]:
            yield f"{where}: {row.label} is of the crop {row.crop}, which is not judged"
        if strange := [stage for stage in row.urgent if stage not in TOLD["stage"]]:
            yield f"{where}: {row.label} is urgent at {', '.join(strange)}, which is no stage"
    for code, judged in crops.items():
        if judged and not diseases_of(code):
            yield f"{where}: {code} has no disease that may be advised, so no photo of it is judged"
    yield from _twice(where, "the crop", (row.code for row in CROP_ROWS))
    yield from _twice(where, "the label", labels)
    yield from _twice(where, "the typed name", (name for row in CROP_ROWS for name in row.names))
    yield from _twice(where, "crop number", (row.number for row in CROP_ROWS))
    for code in crops:
        yield from _twice(where, f"{code}'s number", (row.number for row in diseases_of(code)))
    desk = [DESK_VISIT, DESK_CALL, DESK_OTHER, *(row.desk for row in DISEASE_ROWS)]
    yield from _twice(where, "desk number", desk)
    numbers = {code: {row.number for row in diseases_of(code)} for code in crops}
    yield from symptoms.contradictions(set(crops), numbers)
    for name, most in [(c, LONGEST_CROP) for c in crops] + [(n, LONGEST_LABEL) for n in labels]:
        if len(name) > most or not re.fullmatch("[a-z]+(_[a-z]+)*", name):
            yield f"{where}: {name!r} is no name of up to {most} small letters"
    if taken := sorted(RESERVED & set(labels)):
        yield f"{where}: {', '.join(taken)} means something else, so no label can be called so"


def _twice(where: str, what: str, values: Iterable[object]) -> Iterator[str]:
    for value, count in Counter(values).items():
        if count > 1:
            yield f"{where}: {what} {value} is given twice"
