"""Fetching the photos of messages that brought addresses instead of pictures.

A try is counted before it begins, so that whatever ends it, be it the process, it is not made for
ever: after MAX_ATTEMPTS the farmer is asked to send the photos again.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from rq.timeouts import JobTimeoutException
from sqlalchemy.orm import Session

from gateway.cases.pressure import Pressure
from gateway.channels.mms.fetch import TOO_SLOW, Fetcher, FetchError
from gateway.channels.mms.incoming import Incoming, take
from gateway.context import Context
from gateway.jobs.sweeps_media import FIRST_WAIT
from gateway.jobs.worker import context_of_worker
from gateway.outbox.claim import UNREADABLE
from gateway.outbox.kinds import Kind
from gateway.people import farmers
from gateway.store import keys
from gateway.store.base import Unreadable, now
from gateway.store.models import MediaMessage
from gateway.store.photos import PhotoStoreError
from inference.guard import DecoderBusy

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
SECONDS = 60.0
"""For all photos of a message, fewer than its job has; name servers may take some more."""
LARGEST = 4
"""Times the largest photo: what all photos of a message may weigh together."""
BROKE = "broke"
"""Outcome of a try that ended without a word, until somebody knows better."""


def fetch(media_id: int) -> None:
    """Fetch the photos of one message and take them in. Doing it twice changes nothing."""
    context = context_of_worker()
    with context.store.reading() as session:
        row = session.get(MediaMessage, media_id)
        if row is None or row.done_at is not None:
            return
        vendor, _, message_id = row.key.partition(":")
        phone, addresses, tries = row.phone, row.addresses, row.attempts
        unreadable = isinstance(phone, Unreadable) or isinstance(addresses, Unreadable)
        if unreadable and keys.lacking(session):
            return  # a host with the other key can fetch it
    if unreadable:
        _finish(context, media_id, UNREADABLE, good=False)
        return
    if Pressure(context.store, context.settings).too_much():
        _postpone(context, media_id)
        return
    if not _begin(context, media_id):
        return
    try:
        photos, errors = _fetched(_fetcher(context), addresses.split("\n"))
        again = next((error for error in errors if error.again), None)
        if not photos or (again is not None and tries + 1 < MAX_ATTEMPTS):
            _missed(context, media_id, again or errors[0])
            return
        if not _still_there(context, media_id):
            return
        taken = take(context, Incoming(vendor, message_id, phone, photos))
    except (PhotoStoreError, DecoderBusy) as error:
        log.warning("photos_not_taken_now media=%s error=%s", media_id, error)
        _postpone(context, media_id, tries)
        return
    except JobTimeoutException:
        _missed(context, media_id, FetchError(TOO_SLOW, again=True))
        return
    _finish(context, media_id, "taken" if taken.photos else taken.refused[0], bool(taken.photos))


def _begin(context: Context, media_id: int) -> bool:
    """Count the try that begins; False when there is none left, or nothing to fetch."""
    with context.store.transaction() as session:
        row = _held(session, media_id)
        if row is None or row.done_at is not None:
            return False
        tried = row.attempts >= MAX_ATTEMPTS
        if not tried:
            row.attempts += 1
            row.outcome = BROKE
            row.not_before = now() + FIRST_WAIT * 2**row.attempts
        code = row.outcome or BROKE
    if tried:
        log.error("media_given_up media=%s error=%s", media_id, code)
        _finish(context, media_id, code, good=False)
    return not tried


def _still_there(context: Context, media_id: int) -> bool:
    with context.store.reading() as session:
        return session.get(MediaMessage, media_id) is not None


def _held(session: Session, media_id: int) -> MediaMessage | None:
    """The message, held; None when it was deleted at the farmer's wish meanwhile."""
    return session.get(MediaMessage, media_id, with_for_update=True)


def _fetched(fetcher: Fetcher, addresses: list[str]) -> tuple[tuple[bytes, ...], list[FetchError]]:
    """What could be had, and why the rest could not: a video beside a photo costs no photo."""
    photos: list[bytes] = []
    errors: list[FetchError] = []
    ends, room = time.monotonic() + SECONDS, LARGEST * fetcher.max_bytes
    for address in addresses:
        left = ends - time.monotonic()
        one = replace(
            fetcher, seconds=min(fetcher.seconds, left), max_bytes=min(fetcher.max_bytes, room)
        )
        try:
            if left <= 0:
                raise FetchError(TOO_SLOW, again=True)
            photos.append(one.fetch(address))
        except FetchError as error:
            errors.append(error)
        else:
            room -= len(photos[-1])
    return tuple(photos), errors


def _fetcher(context: Context) -> Fetcher:
    settings = context.settings
    token = settings.twilio_auth_token.get_secret_value()
    login = (settings.twilio_account_sid, token) if settings.twilio_account_sid and token else None
    return Fetcher(settings.mms_media_hosts, settings.photo_max_bytes, login=login)


def _postpone(context: Context, media_id: int, tries: int | None = None) -> None:
    """Leave the photos where they are for a while: no fault of theirs, and no try.

    Args:
        tries: how many there were before the one that began, where one did.
    """
    with context.store.transaction() as session:
        if (row := _held(session, media_id)) is not None:
            row.not_before = now()
            row.attempts = row.attempts if tries is None else tries


def _missed(context: Context, media_id: int, error: FetchError) -> None:
    """Say why the try that began brought no photos."""
    log.warning("media_not_fetched media=%s error=%s again=%s", media_id, error.code, error.again)
    with context.store.transaction() as session:
        if (row := _held(session, media_id)) is None:
            return
        row.outcome = error.code[:40]
        give_up = not error.again or row.attempts >= MAX_ATTEMPTS
    if give_up:
        _finish(context, media_id, error.code[:40], good=False)


def _finish(context: Context, media_id: int, outcome: str, good: bool) -> None:
    """Close the row; a farmer whose photos could not be had is told to send them again."""
    with context.store.transaction() as session:
        if (row := _held(session, media_id)) is None:
            return
        row.outcome, row.done_at = outcome, now()
        row.addresses = ""  # the vendor's addresses are as private as the photos
        if not good and not isinstance(row.phone, Unreadable):
            farmer = farmers.find_or_create(session, row.phone)
            context.desk.tell_farmer(
                session, farmer, "mms_unusable", key=f"media:{row.id}:unusable", kind=Kind.REPLY
            )
