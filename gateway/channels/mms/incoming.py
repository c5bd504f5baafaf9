"""One message with photos, whatever format it came in, taken in."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from sqlalchemy import update

from gateway import outbox
from gateway.cases import intake
from gateway.cases.intake import Upload
from gateway.cases.queue import enqueue
from gateway.context import Context
from gateway.people import farmers
from gateway.store.models import Photo
from inference.picture import PictureError

log = logging.getLogger(__name__)

OVER = ("case_closed", "case_full", "case_not_found")


@dataclass(frozen=True)
class Incoming:
    """`vendor` and `id` together name the message; `phone` is E.164."""

    vendor: str
    id: str
    phone: str
    photos: tuple[bytes, ...]


@dataclass(frozen=True)
class Taken:
    case: str | None
    photos: int
    refused: tuple[str, ...]
    """A code for each photo that could not be taken."""


def take(context: Context, message: Incoming) -> Taken:
    """Make one case of the message's photos, judged when all are there. A repeat of the message
    changes nothing: each photo has a client id made of the message's id and its place.

    Raises: PhotoStoreError when the disk is full; DecoderBusy.
    """
    case: str | None = None
    kept: list[int] = []
    new: list[int] = []
    refused: list[str] = []
    for place, photo in enumerate(message.photos):
        upload = Upload(
            photo=photo,
            source=f"mms:{message.vendor}",
            phone=message.phone,
            client_id=f"{message.id}:{place}",
            case=case,
            following=len(message.photos) - 1 - place,
        )
        try:
            accepted = _accept(context, upload)
        except (PictureError, intake.UploadRefused) as error:
            refused.append(error.code)
            if error.code == "consent_withdrawn":
                _ask_for_consent(context, message)
            continue
        case = accepted.case
        kept.append(accepted.photo_id)
        if not accepted.again:
            new.append(accepted.photo_id)
    if len(new) < len(message.photos):
        _nothing_follows(context, kept)
    for photo_id in new:
        enqueue(context.photo_queue, photo_id)
    log.info(
        "mms vendor=%s case=%s photos=%s refused=%s",
        message.vendor, case, len(kept), ",".join(refused) or "-",
    )  # fmt: skip
    return Taken(case, len(kept), tuple(refused))


def _ask_for_consent(context: Context, message: Incoming) -> None:
    """She had withdrawn it, and nobody is there to read her the question: where it is asked."""
    with context.store.transaction() as session:
        farmer = farmers.find(session, message.phone)
        language = (farmer and farmer.language) or context.desk.language
        outbox.post(
            session,
            key=f"mms:{message.vendor}:{message.id}:consent",
            to=message.phone,
            text=context.catalogue.render("consent_first", language),
            kind=outbox.Kind.REPLY,
            template="consent_first",
            language=language,
            farmer_id=farmer.id if farmer else None,
        )


def _accept(context: Context, upload: Upload) -> intake.Accepted:
    """As intake does it; where the photo before was known from a case that is over, anew."""
    try:
        return intake.accept(context.store, context.photos, upload)
    except intake.UploadRefused as error:
        if upload.case is None or error.code not in OVER:
            raise
        return intake.accept(context.store, context.photos, replace(upload, case=None))


def _nothing_follows(context: Context, photos: list[int]) -> None:
    """What was announced and was refused, or was here before, is not waited for."""
    with context.store.transaction() as session:
        session.execute(update(Photo).where(Photo.id.in_(photos)).values(following=0))
