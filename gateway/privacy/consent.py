"""Consent: given, withdrawn, and the separate yes to teaching the model. Each a line of history."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from gateway.store.base import now
from gateway.store.models import Event, Farmer

VERSION = "2026-11"
"""Of the consent text; raise it when the meaning of the text changes."""


def give(
    session: Session,
    farmer: Farmer,
    *,
    by: str,
    text: str = "consent",
    path: Mapping[str, str | int] | None = None,
) -> None:
    """Record a yes: when, through whom, to which version of which text in which language.

    Args:
        path: where in a session it was given, where that is a session.
    """
    if farmer.consent_at is None or farmer.consent_version != VERSION:
        farmer.consent_at = now()
        farmer.consent_version = VERSION
        farmer.consent_by = by
        farmer.consent_path = None if path is None else dict(path)
        data = {"version": VERSION, "text": text, "language": farmer.language}
        session.add(Event(kind="consent", farmer_id=farmer.id, actor=by, data=data))


def withdraw(session: Session, farmer: Farmer, *, by: str) -> None:
    """As easy as giving it, and effective at once."""
    if farmer.consent_at is not None:
        farmer.consent_at = None
        farmer.training_consent_at = None
        session.add(Event(kind="consent_withdrawn", farmer_id=farmer.id, actor=by))


def allow_training(session: Session, farmer: Farmer, allowed: bool, *, by: str) -> None:
    """The separate yes, or its end: photos may be kept to teach the model."""
    if allowed != (farmer.training_consent_at is not None):
        farmer.training_consent_at = now() if allowed else None
        kind = "training_consent" if allowed else "training_refused"
        session.add(Event(kind=kind, farmer_id=farmer.id, actor=by))
