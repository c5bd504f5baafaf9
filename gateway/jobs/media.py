"""Fetching the photos of messages that brought addresses instead of pictures."""

from __future__ import annotations

import logging

from sqlalchemy.orm import Session

from gateway.cases.pressure import Pressure
from gateway.channels.mms.fetch import Fetcher, FetchError
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


def fetch(media_id: int) -> None:
    """Fetch the photos of one message and take them in. Doing it twice changes nothing."""
    context = context_of_worker()
    with context.store.reading() as session:
        row = session.get(MediaMessage, media_id)
        if row is None or row.done_at is not None:
            return
        vendor, _, message_id = row.key.partition(":")
        phone, addresses, tries = row.phone, row.addresses.splitlines(), row.attempts
        if isinstance(phone, Unreadable) and keys.lacking(session):
            return  # a host with the other key can fetch it
    if isinstance(phone, Unreadable):
        _finish(context, media_id, UNREADABLE, good=False)
        return
    if Pressure(context.store, context.settings).too_much():
        _postpone(context, media_id)
        return
    photos, errors = _fetched(_fetcher(context), addresses)
    again = next((error for error in errors if error.again), None)
    if not photos or (again is not None and tries + 1 < MAX_ATTEMPTS):
        _missed(context, media_id, again or errors[0])
        return
    if not _still_there(context, media_id):
        return
    try:
        taken = take(context, Incoming(vendor, message_id, phone, photos))
    except (PhotoStoreError, DecoderBusy) as error:
        log.warning("photos_not_taken_now media=%s error=%s", media_id, error)
        _postpone(context, media_id)
        return
    _finish(context, media_id, "taken" if taken.photos else taken.refused[0], bool(taken.photos))


def _still_there(context: Context, media_id: int) -> bool:
    with context.store.reading() as session:
        return session.get(MediaMessage, media_id) is not None


def _held(session: Session, media_id: int) -> MediaMessage | None:
    """The message, held; None when it was deleted at the farmer's wish meanwhile."""
    return session.get(MediaMessage, media_id, with_for_update=True)


def _fetched(fetcher: Fetcher, addresses: list[str]) -> tuple[tuple[bytes, ...], list[FetchError]]:
    """What could be had, and why the rest could not: a video beside a photo costs no photo."""
    photos, errors = [], []
    for address in addresses:
        try:
            photos.append(fetcher.fetch(address))
        except FetchError as error:
            errors.append(error)
    return tuple(photos), errors


def _fetcher(context: Context) -> Fetcher:
    settings = context.settings
    token = settings.twilio_auth_token.get_secret_value()
    login = (settings.twilio_account_sid, token) if settings.twilio_account_sid and token else None
    return Fetcher(settings.mms_media_hosts, settings.photo_max_bytes, login=login)


def _postpone(context: Context, media_id: int) -> None:
    """Leave the photos where they are for a while: no fault of theirs, and no try."""
    with context.store.transaction() as session:
        if (row := _held(session, media_id)) is not None:
            row.not_before = now()


def _missed(context: Context, media_id: int, error: FetchError) -> None:
    log.warning("media_not_fetched media=%s error=%s again=%s", media_id, error.code, error.again)
    with context.store.transaction() as session:
        if (row := _held(session, media_id)) is None:
            return
        row.attempts += 1
        row.outcome = error.code[:40]
        give_up = not error.again or row.attempts >= MAX_ATTEMPTS
        if not give_up:
            row.not_before = now() + FIRST_WAIT * 2**row.attempts
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
