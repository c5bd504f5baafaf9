"""From stored verdicts to what happens next: the one transaction in which a case is judged.

Nothing here loads a model: verdicts are read from the store, the lines between them from the card.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateway.agronomy import advice
from gateway.cases import escalation, life
from gateway.cases.case import hold
from gateway.cases.desk import Desk
from gateway.cases.triage import Decision, Facts, Finding, triage
from gateway.store.base import now
from gateway.store.database import insert_once
from gateway.store.models import Case, Diagnosis, Photo
from inference.card import Card
from inference.flaws import BLURRED, DARK, OVEREXPOSED
from inference.verdict import ADVICE, NO_LEAF, UNREADABLE, MixedModels, Verdict, combine

log = logging.getLogger(__name__)

POOR = {BLURRED, DARK, OVEREXPOSED}


def record(session: Session, photo: Photo, verdict: Verdict) -> bool:
    """Keep the diagnosis of one photo; False when it has one already."""
    row = _columns(verdict) | {"photo_id": photo.id, "case_id": photo.case_id}
    made = insert_once(session, Diagnosis, row, "photo_id")
    if made:
        photo.diagnosed_at = now()
    return made


def record_again(session: Session, photo_id: int, verdict: Verdict) -> None:
    """Keep the word of the model in use instead of an older model's; the caller holds the case."""
    diagnosis = session.scalar(select(Diagnosis).where(Diagnosis.photo_id == photo_id))
    if diagnosis is not None:  # else deleted meanwhile, at the farmer's wish
        for name, value in _columns(verdict).items():
            setattr(diagnosis, name, value)


def _columns(verdict: Verdict) -> dict[str, object]:
    return {
        "label": verdict.label,
        "confidence": verdict.confidence,
        "verdict": verdict.verdict,
        "detail": verdict.to_detail(),
    }


def judged_before(session: Session, case_id: int, card: Card) -> list[int]:
    """Photos of the case to be judged again: another model than that of the card judged them, or
    what is stored of it is no verdict."""
    query = select(Diagnosis.photo_id, Diagnosis.detail).where(Diagnosis.case_id == case_id)
    found = []
    for photo_id, detail in session.execute(query.order_by(Diagnosis.photo_id)):
        try:
            other = of_another_model(Verdict.from_detail(detail), card)
        except ValueError:
            other = True
        if other:
            found.append(photo_id)
    return found


def of_another_model(verdict: Verdict, card: Card) -> bool:
    """Whether the verdict's numbers mean something else than those of the card's model."""
    ours = (card.version, card.labels)
    return verdict.verdict != UNREADABLE and (verdict.model, verdict.labels) != ours


def is_complete(session: Session, case: Case) -> bool:
    """Whether all photos that came in one go are there and judged: then one answer is due."""
    missing = or_(Photo.following > 0, Photo.diagnosed_at.is_(None))
    query = select(Photo.id).where(Photo.case_id == case.id, missing).limit(1)
    return session.scalar(query) is None


def together(verdicts: Sequence[Verdict], card: Card) -> Finding:
    """What the photos of a case say together.

    One verdict stands as its own model gave it. Several are weighed only when all are of the
    card's model: numbers of different models mean different things, and are never averaged.

    Raises:
        ValueError: without a verdict.
        MixedModels: several, and not all of the card's model.
    """
    shown = leaves(verdicts) or verdicts
    blank, verdicts = len(verdicts) - len(shown), shown
    readable = [verdict for verdict in verdicts if verdict.verdict != UNREADABLE]
    if len(readable) > 1 and any(of_another_model(verdict, card) for verdict in readable):
        raise MixedModels("not all photos were judged by the model in use")
    one = combine(verdicts, card.thresholds)
    return Finding(
        one.verdict,
        one.label,
        one.confidence,
        disagree=len({verdict.label for verdict in readable if verdict.verdict == ADVICE}) > 1,
        poor=_poor(readable),
        blank=blank,
    )


def leaves(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those of photos that show a leaf, or may. A photo of none says nothing of the plant, and the
    one that was taken again for it is the first."""
    return [verdict for verdict in verdicts if verdict.verdict != NO_LEAF]


def _poor(readable: Sequence[Verdict]) -> bool:
    """Whether every photo that could be read is blurred, dark or burnt, each in its own way."""
    return bool(readable) and all(POOR & set(verdict.quality) for verdict in readable)


def judge_together(session: Session, desk: Desk, case: Case, card: Card) -> None:
    """Apply triage to what the photos of the case say together; the caller holds the case.

    Where they cannot be weighed together a person gets the case.
    """
    details = session.scalars(
        select(Diagnosis.detail).where(Diagnosis.case_id == case.id).order_by(Diagnosis.photo_id)
    ).all()
    if not details:
        return  # none could be judged: a person has the case already
    try:
        finding = together([Verdict.from_detail(detail) for detail in details], card)
    except ValueError as error:
        reason = "mixed_models" if isinstance(error, MixedModels) else "verdict_damaged"
        log.warning("not_judged_together case=%s reason=%s", case.code, reason)
        held = escalation.open_one(session, case)
        if held is not None:
            escalation.photo_came(session, desk, case, held, len(details))
        else:
            failed(session, desk, case, reason)
        return
    judge(session, desk, case, finding, len(details))
    log.info(
        "diagnosed case=%s photos=%s verdict=%s label=%s confidence=%.2f state=%s",
        case.code, len(details), finding.verdict, finding.label, finding.confidence or 0.0,
        case.state,
    )  # fmt: skip


def judge(session: Session, desk: Desk, case: Case, finding: Finding, photos_judged: int) -> None:
    """Apply triage to what all photos of the case say together, and tell whoever must know."""
    case.label, case.verdict, case.confidence = finding.label, finding.verdict, finding.confidence
    if case.state == life.CLOSED:
        return  # an officer's answer overtook the photo
    decision = triage(finding, _facts(case, photos_judged - finding.blank))
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
        disease=case.label or "unknown",
    )


def _facts(case: Case, photos_judged: int) -> Facts:
    told = case.answers or {}
    return Facts(
        crop=case.crop,
        photos_judged=photos_judged,
        **{name: told.get(name) for name in advice.FACTS},
    )
