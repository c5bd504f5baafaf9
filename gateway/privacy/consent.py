"""Consent: given, withdrawn, and the separate yes to teaching the model. Each a line of history."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from gateway.people import profiles
from gateway.store.base import now
from gateway.store.models import Event, Farmer, Profile

VERSION = "2026-11"
"""Of the consent text; raise it when the meaning of the text changes."""


def give(
    session: Session,
    farmer: Farmer,
    *,
    by: str,
    text: str = "consent",
    path: Mapping[str, str | int] | None = None,
    profile: Profile | None = None,
) -> None:
    """Record a yes: when, through whom, to which version of which text in which language.

    Args:
        path: where in a session it was given, where that is a session.
        profile: who of those that share the phone said it, where that is not the farmer.
    """
    who = profile or farmer
    if who.consent_at is None or who.consent_version != VERSION:
        who.consent_at = now()
        who.consent_version = VERSION
        who.consent_by = by
        if profile is None:
            farmer.consent_path = None if path is None else dict(path)
        data = {"version": VERSION, "text": text, "language": who.language}
        session.add(Event(kind="consent", farmer_id=farmer.id, actor=by, data=data))


def withdrawn(who: Farmer | Profile) -> bool:
    """Somebody said yes once, and then no. Only a yes to the question itself renews it."""
    return who.consent_at is None and who.consent_version is not None


def withdraw(session: Session, farmer: Farmer, *, by: str) -> None:
    """As easy as giving it, and effective at once; for all who share the phone, because nobody can
    tell who of them holds it."""
    everybody: list[Farmer | Profile] = [farmer, *profiles.of(session, farmer)]
    people = [one for one in everybody if one.consent_at is not None]
    for one in people:
        one.consent_at = None
    if people:
        farmer.training_consent_at = None
        session.add(Event(kind="consent_withdrawn", farmer_id=farmer.id, actor=by))


def allow_training(session: Session, farmer: Farmer, allowed: bool, *, by: str) -> None:
    """The separate yes, or its end: photos may be kept to teach the model."""
    if allowed != (farmer.training_consent_at is not None):
        farmer.training_consent_at = now() if allowed else None
        kind = "training_consent" if allowed else "training_refused"
        session.add(Event(kind=kind, farmer_id=farmer.id, actor=by))
