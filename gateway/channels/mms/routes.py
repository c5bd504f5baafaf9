"""`POST /mms/KEY` and `POST /mm7/KEY`."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from gateway.cases.pressure import RETRY_AFTER, Pressure
from gateway.channels import secret_path
from gateway.channels.fields import as_key
from gateway.channels.mms import kept, mm7, twilio
from gateway.channels.mms.incoming import Incoming, take
from gateway.channels.takers import MEDIA, spool_of
from gateway.context import Context
from gateway.people import msisdn
from gateway.problems import Problem
from gateway.spool import Replayer, SpoolError
from gateway.store import away, patience
from gateway.store.photos import PhotoStoreError
from inference.guard import DecoderBusy

log = logging.getLogger(__name__)

MAX_MEDIA = 10
PATIENCE = 3.0
"""Seconds that the store has for one message before that goes to the spool."""
ID_LONGEST = 70
XML = "text/xml; charset=utf-8"


def blueprint(context: Context) -> Blueprint:
    routes = Blueprint("mms", __name__)
    secret_path.guard(
        routes, context.settings, lambda endpoint, _: "mm7" if endpoint == "deliver" else "mms"
    )
    pressure = Pressure(context.store, context.settings)
    _, replayer = spool_of(context)

    @routes.post("/mms/<key>")
    def receive() -> tuple[Response, int]:
        if request.form.get("NumMedia") is not None or "MediaUrl0" in request.form:
            return _by_address(context, replayer)
        if pressure.too_much():
            detail = "very much is waiting just now; send the message again later"
            raise Problem(503, "busy", detail, {"Retry-After": RETRY_AFTER})
        return _by_parts(context)

    @routes.post("/mm7/<key>")
    def deliver() -> Response:
        transaction, status = _deliver(context, pressure)
        return Response(mm7.answer(transaction, status), content_type=XML)

    return routes


def _by_parts(context: Context) -> tuple[Response, int]:
    """Pictures in the form itself: `id`, `from`, and one or more files named `media`."""
    photos = tuple(file.read() for file in request.files.getlist("media")[:MAX_MEDIA])
    if not photos:
        raise Problem(400, "missing_field", "the message has no file 'media'")
    incoming = Incoming("direct", _id(_field("id")), _sender(context, _field("from")), photos)
    try:
        taken = take(context, incoming)
    except PhotoStoreError:
        detail = "the photos could not be kept just now; send the message again"
        raise Problem(503, "storage_full", detail, {"Retry-After": "60"}) from None
    if taken.case is None:
        code = taken.refused[0]
        raise Problem(422, code, "none of the files is a photo that can be read")
    return jsonify(case=taken.case, photos=taken.photos, refused=list(taken.refused)), 200


def _by_address(context: Context, replayer: Replayer) -> tuple[Response, int]:
    """Addresses of pictures, in the field names that Twilio uses. Kept now, fetched by a job.

    However much waits, and if the store is away in the spool: a vendor of this kind does not come
    again, and the pictures stay where they are until the job has room for them.
    """
    _check_signature(context)
    addresses = [request.form[f"MediaUrl{n}"] for n in range(MAX_MEDIA)
                 if request.form.get(f"MediaUrl{n}")]  # fmt: skip
    sender = _sender(context, _field("From"))
    key = f"twilio:{_id(_field('MessageSid'))}"
    if not addresses:
        return jsonify(photos=0), 200  # words only: nothing to look at
    if any("\n" in address or len(address) > 2000 for address in addresses):
        raise Problem(422, "bad_address", "an address of the media is not one")
    message = {"key": key, "phone": sender, "addresses": "\n".join(addresses)}
    try:
        with patience(PATIENCE):
            kept.keep(context, message)
    except Exception as error:
        if not away(error):
            raise
        log.error("mms goes to the spool: %s", type(error).__name__)
        _spool(replayer, message)
    return Response(status=204), 204


def _spool(replayer: Replayer, message: Mapping[str, str]) -> None:
    try:
        replayer.keep(MEDIA, message)
    except SpoolError as error:
        log.error("mms could not be kept: %s", error)
        detail = "the message could not be kept just now; send it again"
        raise Problem(503, "storage_full", detail, {"Retry-After": "60"}) from None


def _deliver(context: Context, pressure: Pressure) -> tuple[str, int]:
    """(TransactionID, MM7 status code), whatever came and whatever happens here."""
    transaction = ""
    try:
        message = mm7.parse(request.content_type or "", request.get_data())
        transaction = message.transaction
        sender = msisdn.from_network(message.sender, context.settings.region)
        if pressure.too_much():
            return transaction, mm7.UNAVAILABLE
        incoming = Incoming("mm7", as_key(transaction, ID_LONGEST), sender, message.photos)
        taken = take(context, incoming)
    except mm7.Corrupt as error:
        log.warning("mm7_corrupt reason=%s", error)
        return error.transaction, mm7.CORRUPT
    except msisdn.BadNumber:
        log.warning("mm7_bad_sender")
        return transaction, mm7.CORRUPT
    except RequestEntityTooLarge:
        log.warning("mm7_too_large")
        return transaction, mm7.REFUSED
    except (DecoderBusy, PhotoStoreError):
        return transaction, mm7.UNAVAILABLE
    except Exception as error:
        log.exception("mm7_not_stored error=%s", type(error).__name__)
        return transaction, mm7.SERVER_ERROR
    good = taken.case is not None or not message.photos
    return transaction, mm7.SUCCESS if good else mm7.REFUSED


def _check_signature(context: Context) -> None:
    token = context.settings.twilio_auth_token.get_secret_value()
    if not token:
        return
    base = context.settings.public_url.rstrip("/")
    url = base + request.full_path.rstrip("?") if base else request.url
    given = request.headers.get("X-Twilio-Signature", "")
    sent = getattr(request.form, "as_sent", None) or request.form.items(multi=True)
    if not twilio.signed(token, url, sent, given):
        log.warning("twilio_signature_wrong")
        raise Problem(403, "bad_signature", "the signature does not fit this message")


def _field(name: str) -> str:
    value = request.form.get(name, "")
    if not value.strip():
        raise Problem(400, "missing_field", f"the field '{name}' is missing")
    return value


def _id(value: str) -> str:
    value = value.strip()
    if len(value) > ID_LONGEST:
        raise Problem(400, "bad_id", f"a message id has at most {ID_LONGEST} characters")
    return value


def _sender(context: Context, raw: str) -> str:
    try:
        return msisdn.from_network(raw, context.settings.region)
    except msisdn.BadNumber:
        raise Problem(422, "bad_phone", "the sender is not a phone number") from None
