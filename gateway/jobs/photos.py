"""The job of a photo worker: bytes of one photo in, its case judged, in one transaction."""

from __future__ import annotations

import errno
import json
import logging

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.cases import judgement
from gateway.cases.case import hold
from gateway.cases.judgement import PhotoVerdict
from gateway.cases.triage import Finding
from gateway.context import Context
from gateway.jobs.worker import context_of_worker
from gateway.store import away, keys, patience
from gateway.store.models import Case, Diagnosis, Photo
from gateway.store.photos import PhotoMissing
from gateway.store.vault import SealBroken
from inference import quality
from inference.verdict import Verdict, combine, unreadable

log = logging.getLogger(__name__)

PATIENCE = 8.0
"""Seconds that the store has: fewer than the job, which would count as failed."""

POOR = {quality.BLURRED, quality.DARK, quality.OVEREXPOSED}


def diagnose(photo_id: int) -> None:
    """Judge one photo. Doing it twice changes nothing: a photo has one diagnosis."""
    try:
        with patience(PATIENCE):
            _diagnose(context_of_worker(), photo_id)
    except Exception as error:
        if not away(error) and not isinstance(error, PhotosAway):
            raise
        # No fault of the photo, so no failed job, which would count: a sweep queues it again.
        log.warning("store_away photo=%s error=%s", photo_id, type(error).__name__)


class PhotosAway(Exception):
    """The place where photos lie cannot be read just now."""


def _diagnose(context: Context, photo_id: int) -> None:
    with context.store.reading() as session:
        photo = session.get(Photo, photo_id)
        if photo is None or photo.diagnosed_at is not None:
            return
        address = photo.address
    verdict = _judge(context, photo_id, address)
    with context.store.transaction() as session:
        _record(session, context, photo_id, verdict)


def _judge(context: Context, photo_id: int, address: str) -> Verdict:
    try:
        data = context.photos.get(address)
    except (PhotoMissing, SealBroken) as error:
        if isinstance(error, SealBroken) and _key_lacks(context):
            raise PhotosAway("sealed with a key that this host lacks") from error
        log.error("photo_lost photo=%s error=%s", photo_id, type(error).__name__)
        return unreadable("photo_lost", "The photo is no longer there.", "none")
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno == errno.EIO:
            raise  # this photo's own fault: it counts
        raise PhotosAway(str(error)) from error
    return context.model.judge(data)


def _key_lacks(context: Context) -> bool:
    with context.store.reading() as session:
        return keys.lacking(session)


def _record(session: Session, context: Context, photo_id: int, verdict: Verdict) -> None:
    photo = session.get_one(Photo, photo_id, with_for_update={"of": Photo, "key_share": True})
    case = hold(session, photo.case_id)
    assert case is not None  # it goes with its photos, and one of them is held
    detail = json.loads(verdict.to_json())
    plain = PhotoVerdict(verdict.verdict, verdict.label, verdict.confidence, detail)
    if not judgement.record(session, photo, plain):
        return
    log.info("judged case=%s photo=%s verdict=%s ms=%.1f",
             case.code, photo_id, verdict.verdict, verdict.latency_ms)  # fmt: skip
    if judgement.is_complete(session, case):
        judge_together(session, context, case)


def _poor(verdicts: list[Verdict]) -> bool:
    """Whether every photo that could be read is blurred, dark or burnt, each in its own way."""
    seen = [POOR & set(verdict.quality) for verdict in verdicts if verdict.problem is None]
    return bool(seen) and all(seen)


def judge_together(session: Session, context: Context, case: Case) -> None:
    """Apply triage to what the photos of the case say together; the caller holds the case."""
    details = session.scalars(
        select(Diagnosis.detail).where(Diagnosis.case_id == case.id).order_by(Diagnosis.photo_id)
    ).all()
    if not details:
        return  # none could be judged: a person has the case already
    verdicts = [Verdict.from_json(json.dumps(detail)) for detail in details]
    together = combine(verdicts, context.model.thresholds)
    confident = {verdict.label for verdict in verdicts if verdict.verdict == "advice"}
    finding = Finding(
        together.verdict,
        together.label,
        together.confidence,
        disagree=len(confident) > 1,
        poor=_poor(verdicts),
    )
    judgement.judge(session, context.desk, case, finding, len(details))
    log.info(
        "diagnosed case=%s photos=%s verdict=%s label=%s confidence=%.2f state=%s",
        case.code, len(details), together.verdict, together.label, together.confidence or 0.0,
        case.state,
    )  # fmt: skip
