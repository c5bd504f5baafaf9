"""Officers' labels: each time one agrees with the machine or corrects it, photos to learn from."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.agronomy import CROP_OF, LABELS
from gateway.people import areas
from gateway.store.base import now
from gateway.store.database import insert_once, vault_of
from gateway.store.models import Case, Event, Label, Officer, Photo

NONE = "none"
"""None of the five: another disease, another crop, or no leaf at all."""
CHOICES = (*LABELS, NONE)
NAMING = ("advice", "second_photo")
"""Verdicts with which the machine names what it sees."""
NAMELESS = ("unknown", "no_leaf")
"""Verdicts with which it says that it is none that it knows."""
LONGEST_WORDS = 80


class BadLabel(ValueError):
    """Not a label that a photo can have."""


def choices(crop: str | None) -> tuple[str, ...]:
    """What a leaf of this crop may have, and `none`; of a crop that nobody told, all."""
    return (*(label for label in LABELS if crop in (None, CROP_OF[label])), NONE)


def machine_word(verdict: str | None, label: str | None) -> str | None:
    """What the machine says a case is: one of the five, `none`, or nothing at all."""
    if verdict in NAMELESS:
        return NONE
    return label if verdict in NAMING else None


def record(
    session: Session, officer: Officer, case: Case, label: str, words: str | None = None
) -> bool:
    """Keep the officer's word on every photo that the case has now; the caller holds the case.

    Saying the same again changes nothing; saying something else replaces it, and the history
    shows both.

    Args:
        words: what it is instead, when none of the five.

    Returns:
        True when this is news.

    Raises: BadLabel.
    """
    if label not in choices(case.crop):
        raise BadLabel(f"a label of {case.crop} is one of {', '.join(choices(case.crop))}")
    words = " ".join((words or "").split())[:LONGEST_WORDS] or None if label == NONE else None
    machine = machine_word(case.verdict, case.label)
    photos = session.scalars(select(Photo.id).where(Photo.case_id == case.id)).all()
    plot = _plot(session, case)
    mine = select(Label).where(Label.case_id == case.id, Label.officer_id == officer.id)
    known = {row.photo_id: row for row in session.scalars(mine)}
    news = False
    for photo in photos:
        said = {
            "label": label,
            "words": words,
            "agreed": machine == label,
            "machine_label": machine,
            "machine_confidence": case.confidence,
            "plot_digest": plot,
        }
        row = known.get(photo)
        if row is None:
            values = said | {"case_id": case.id, "photo_id": photo, "officer_id": officer.id}
            news |= insert_once(session, Label, values, "photo_id", "officer_id")
        elif (row.label, row.words) != (label, words):
            for name, value in said.items():
                setattr(row, name, value)
            row.updated_at = now()
            news = True
    if news:
        data = {"label": label, "machine": machine, "agreed": machine == label}
        actor = f"officer:{officer.id}"
        session.add(Event(kind="label", case_id=case.id, actor=actor, data=data))
    return news


def take_back(session: Session, officer: Officer, case: Case) -> None:
    """The officer's word on the case's photos is no example any more: it was said by mistake."""
    session.execute(delete(Label).where(Label.case_id == case.id, Label.officer_id == officer.id))


def _plot(session: Session, case: Case) -> str:
    """The same for all cases of one farmer on one plot, however the place is spelt."""
    place = "/".join(areas.units(f"{case.area or ''}/{case.place or ''}"))
    return vault_of(session).digest(f"plot {case.farmer_id} {place}")
