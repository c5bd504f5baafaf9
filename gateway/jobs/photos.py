"""The job of a photo worker: bytes of one photo in, its case judged, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from rq.timeouts import JobTimeoutException
from sqlalchemy.orm import Session

from gateway import trace
from gateway.cases import judgement
from gateway.cases.case import hold
from gateway.context import Context
from gateway.jobs.worker import context_of_worker
from gateway.store import away, keys, patience
from gateway.store.models import Photo
from gateway.store.photos import PhotoMissing, PhotosAway
from gateway.store.vault import SealBroken
from inference.verdict import Verdict, unreadable

log = logging.getLogger(__name__)

PATIENCE = 8.0
"""Seconds that the store and that of photos have: fewer than the job, which would count as
failed."""


def diagnose(photo_id: int) -> None:
    """Judge one photo. Doing it twice changes nothing: a photo has one diagnosis."""
    try:
        with patience(PATIENCE), trace.about(photo=photo_id):
            _diagnose(context_of_worker(), photo_id)
    except Exception as error:
        if not away(error):
            raise
        # No fault of the photo, so no failed job, which would count: a sweep queues it again.
        log.warning("store_away photo=%s error=%s", photo_id, type(error).__name__)


def _diagnose(context: Context, photo_id: int) -> None:
    card = context.model.said  # loaded here if it was not, where no transaction waits for it
    with context.store.reading() as session:
        photo = session.get(Photo, photo_id)
        if photo is None or photo.diagnosed_at is not None:
            return
        address = photo.address
        older = {
            other: session.get_one(Photo, other).address
            for other in judgement.judged_before(session, photo.case_id, card)
        }
    verdict = _judge(context, photo_id, address)
    again = {other: _judge(context, other, where) for other, where in older.items()}
    with context.store.transaction() as session:
        _record(session, context, photo_id, verdict, again)


def _judge(context: Context, photo_id: int, address: str) -> Verdict:
    try:
        data = context.photos.get(address)
    except (PhotoMissing, SealBroken) as error:
        if isinstance(error, SealBroken) and _key_lacks(context):
            raise PhotosAway("sealed with a key that this host lacks") from error
        log.error("photo_lost photo=%s error=%s", photo_id, type(error).__name__)
        return unreadable("photo_lost", "The photo is no longer there.", "none")
    except JobTimeoutException as error:  # a disk that hangs
        raise PhotosAway("the photo store did not answer within the time of a job") from error
    return context.model.judge(data)


def _key_lacks(context: Context) -> bool:
    with context.store.reading() as session:
        return keys.lacking(session)


def _record(
    session: Session,
    context: Context,
    photo_id: int,
    verdict: Verdict,
    again: Mapping[int, Verdict] | None = None,
) -> None:
    """Keep the verdict, and judge the case when its photos are all there.

    Args:
        again: verdicts on photos that an older model had judged, in place of its own.
    """
    photo = session.get_one(Photo, photo_id, with_for_update={"of": Photo, "key_share": True})
    case = hold(session, photo.case_id)
    assert case is not None  # it goes with its photos, and one of them is held
    if not judgement.record(session, photo, verdict):
        return
    log.info("judged case=%s photo=%s verdict=%s ms=%.1f",
             case.code, photo_id, verdict.verdict, verdict.latency_ms)  # fmt: skip
    for other, word in (again or {}).items():
        judgement.record_again(session, other, word)
        log.info("judged_again case=%s photo=%s verdict=%s", case.code, other, word.verdict)
    if judgement.is_complete(session, case):
        judgement.judge_together(session, context.desk, case, context.model.said)
