"""From a diagnosis to what happens next: the one transaction in which a case is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.cases import escalation, life
from gateway.cases.case import hold
from gateway.cases.desk import Desk
from gateway.cases.triage import Decision, Facts, Finding, triage
from gateway.store.base import now
from gateway.store.database import insert_once
from gateway.store.models import Case, Diagnosis, Photo


@dataclass(frozen=True)
class PhotoVerdict:
    """The machine's word on one photo, in plain values."""

    verdict: str
    label: str | None
    confidence: float | None
    detail: dict[str, Any]


def record(session: Session, photo: Photo, verdict: PhotoVerdict) -> bool:
    """Keep the diagnosis of one photo; False when it has one already."""
    made = insert_once(
        session,
        Diagnosis,
        {
            "photo_id": photo.id,
            "case_id": photo.case_id,
            "label": verdict.label,
            "confidence": verdict.confidence,
            "verdict": verdict.verdict,
            "detail": verdict.detail,
        },
        "photo_id",
    )
    if made:
        photo.diagnosed_at = now()
    return made


def is_complete(session: Session, case: Case) -> bool:
    """Whether all photos that came in one go are there and judged: then one answer is due."""
    missing = or_(Photo.following > 0, Photo.diagnosed_at.is_(None))
    query = select(Photo.id).where(Photo.case_id == case.id, missing).limit(1)
    return session.scalar(query) is None


def judge(session: Session, desk: Desk, case: Case, finding: Finding, photos_judged: int) -> None:
    """Apply triage to what all photos of the case say together, and tell whoever must know."""
    case.label, case.verdict, case.confidence = finding.label, finding.verdict, finding.confidence
    if case.state == life.CLOSED:
        return  # an officer's answer overtook the photo
    decision = triage(finding, _facts(case, photos_judged))
    held = escalation.open_one(session, case)
    if held is not None:
        if held.accepted_at is not None or decision.action != "advise":
            escalation.photo_came(session, desk, case, held, photos_judged)
            return  # a person has it; the diagnosis is there for them to see
        escalation.withdraw(session, held)
        session.flush()
    life.move(session, case, life.DIAGNOSED, actor="machine", reason=finding.verdict)
    _act(session, desk, case, decision, photos_judged)


def failed(session: Session, desk: Desk, case: Case, reason: str) -> None:
    """The machine could not judge a photo of the case: a person still answers."""
    hold(session, case.id)
    if case.state != life.CLOSED:
        escalation.escalate(session, desk, case, reason, actor="machine")


def _act(session: Session, desk: Desk, case: Case, decision: Decision, round_: int) -> None:
    if decision.action == "escalate":
        escalation.escalate(session, desk, case, decision.reason, actor="machine")
        return
    state = life.ANSWERED if decision.action == "advise" else life.PHOTO_REQUESTED
    life.move(session, case, state, actor="machine", reason=decision.reason)
    desk.tell_farmer(
        session,
        case.farmer,
        decision.message,
        key=f"case:{case.id}:judged:{round_}",
        case=case,
    )


def _facts(case: Case, photos_judged: int) -> Facts:
    told = case.answers or {}
    return Facts(
        crop=case.crop,
        photos_judged=photos_judged,
        stage=told.get("stage"),
        plants=told.get("plants"),
    )
