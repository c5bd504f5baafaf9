"""What a kiosk sees of a case."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.store.models import Case, Diagnosis, Kiosk, Message, Photo


def case(session: Session, kiosk: Kiosk, code: str) -> dict[str, Any] | None:
    """State and result of one of the kiosk's cases, or None when it is not one of them."""
    found = session.scalar(select(Case).where(Case.code == code, Case.kiosk_id == kiosk.id))
    if found is None:
        return None
    photos = session.scalar(select(func.count(Photo.id)).where(Photo.case_id == found.id))
    message = session.scalar(
        select(Message)
        .where(Message.case_id == found.id, Message.farmer_id == found.farmer_id)
        .where(Message.direction == "out")
        .order_by(Message.id.desc())
        .limit(1)
    )
    last = session.scalar(
        select(Diagnosis)
        .where(Diagnosis.case_id == found.id)
        .order_by(Diagnosis.id.desc())
        .limit(1)
    )
    return {
        "case": found.code,
        "state": found.state,
        "crop": found.crop,
        "label": found.label,
        "verdict": found.verdict,
        "photos": photos,
        "quality": list(last.detail.get("quality", ())) if last else [],
        "phone_last4": found.farmer.phone[-4:],
        "message": None if message is None else message.text,
        "message_state": None if message is None else message.state,
        "created_at": found.created_at.isoformat(),
        "updated_at": found.updated_at.isoformat(),
    }
