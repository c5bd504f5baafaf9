"""The list of a kiosk: its cases as the agent sees them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.cases.case import by_code
from gateway.store.base import now
from gateway.store.models import Case, Diagnosis, Kiosk, Message, Photo

RECENT = timedelta(hours=24)
"""Since when something must have happened to a case for it to be on the day's list."""
OLDEST = timedelta(days=60)
"""Older cases are not looked through; by then every one has been answered."""
MOST = 100


def one(session: Session, kiosk: Kiosk, code: str) -> dict[str, Any] | None:
    """State and result of one of the kiosk's cases, or None when it is not one of them."""
    found = by_code(session, code)
    if found is None or found.kiosk_id != kiosk.id:
        return None
    return _shown(session, [found])[0]


def recent(session: Session, kiosk: Kiosk) -> list[dict[str, Any]]:
    """The kiosk's cases to which something happened in the last 24 hours, newest case first.

    Five queries, whatever the number of cases; at most MOST of them.
    """
    moment = now()
    query = (
        select(Case)
        .where(Case.kiosk_id == kiosk.id, Case.created_at > moment - OLDEST)
        .where(Case.updated_at > moment - RECENT)
        .order_by(Case.created_at.desc(), Case.id.desc())
        .limit(MOST)
    )
    return _shown(session, session.scalars(query).all())


def _shown(session: Session, cases: Sequence[Case]) -> list[dict[str, Any]]:
    ids = [case.id for case in cases]
    counts: dict[int, int] = {}
    for case_id, count in session.execute(
        select(Photo.case_id, func.count()).where(Photo.case_id.in_(ids)).group_by(Photo.case_id)
    ):
        counts[case_id] = count
    last_message = (
        select(func.max(Message.id))
        .where(Message.case_id.in_(ids), Message.farmer_id.is_not(None))
        .where(Message.direction == "out")
        .group_by(Message.case_id)
    )
    messages = {
        message.case_id: message
        for message in session.scalars(select(Message).where(Message.id.in_(last_message)))
    }
    last_diagnosis = (
        select(func.max(Diagnosis.id)).where(Diagnosis.case_id.in_(ids)).group_by(Diagnosis.case_id)
    )
    diagnoses = {
        diagnosis.case_id: diagnosis
        for diagnosis in session.scalars(select(Diagnosis).where(Diagnosis.id.in_(last_diagnosis)))
    }
    return [
        _one(case, counts.get(case.id, 0), messages.get(case.id), diagnoses.get(case.id))
        for case in cases
    ]


def _one(
    case: Case, photos: int, message: Message | None, diagnosis: Diagnosis | None
) -> dict[str, Any]:
    return {
        "case": case.code,
        "state": case.state,
        "crop": case.crop,
        "place": case.place,
        "language": case.language,
        "label": case.label,
        "verdict": case.verdict,
        "photos": photos,
        "quality": list(diagnosis.detail.get("quality", ())) if diagnosis else [],
        "phone_last4": case.farmer.phone[-4:],
        "sms": case.farmer.opted_out_at is None,
        "message": None if message is None else message.text,
        "message_state": None if message is None else message.state,
        "created_at": case.created_at.isoformat(),
        "updated_at": case.updated_at.isoformat(),
    }
