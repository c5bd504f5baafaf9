"""`POST /api/photos` and `GET /api/cases/CODE`."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, jsonify, request, url_for

from gateway.cases import codes, intake, kiosk_list
from gateway.cases.pressure import RETRY_AFTER, Pressure
from gateway.cases.queue import enqueue
from gateway.channels.kiosk import form, openapi, predict
from gateway.channels.kiosk.auth import kiosk_of
from gateway.channels.kiosk.statuses import PICTURE_STATUS, REFUSED_STATUS
from gateway.context import Context
from gateway.outbox import money
from gateway.problems import Problem
from gateway.store.base import now
from gateway.store.photos import PhotoStoreError
from inference.picture import PictureError

log = logging.getLogger(__name__)

TOMORROW = "3600"
"""Seconds: the day may end at any moment, so it is asked for every hour."""


def blueprint(context: Context) -> Blueprint:
    api = Blueprint("kiosk_api", __name__, url_prefix="/api")
    most = context.settings.kiosk_photos_daily
    served = money.calling_codes(context.settings.countries_served)
    pressure = Pressure(context.store, context.settings)

    @api.post("/photos")
    def upload_photo() -> tuple[Response, int]:
        today = now().astimezone(context.desk.zone).date()
        with context.store.reading() as session:
            kiosk = kiosk_of(request, session)
            full = 0 < most <= intake.handed_in(session, kiosk.id, today)
        if full:
            log.warning("kiosk_photos_daily kiosk=%s", kiosk.id)
            detail = "this kiosk has handed in its photos of today; keep it and send it tomorrow"
            raise Problem(429, "kiosk_photos_daily", detail, {"Retry-After": TOMORROW})
        if pressure.too_much():
            detail = "very much is waiting just now; keep the photo and send it again later"
            raise Problem(503, "busy", detail, {"Retry-After": RETRY_AFTER})
        upload = form.read(
            request, kiosk, context.settings.region, context.catalogue.languages, served, today
        )
        accepted = _accept(context, upload)
        if not accepted.again:
            enqueue(context.photo_queue, accepted.photo_id)
        log.info("accepted case=%s photo=%s kiosk=%s again=%s correction=%s",
                 accepted.case, accepted.photo_id, kiosk.id, accepted.again,
                 accepted.correction)  # fmt: skip
        answer = jsonify(
            case=accepted.case,
            phone_last4=accepted.phone[-4:],
            duplicate=accepted.again,
            correction=accepted.correction,
            sms=accepted.sms,
        )
        answer.headers["Location"] = url_for("kiosk_api.show_case", code=accepted.case)
        return answer, 202

    @api.get("/cases")
    def list_cases() -> Response:
        with context.store.reading() as session:
            answer = jsonify(cases=kiosk_list.recent(session, kiosk_of(request, session)))
        # A kiosk asks again and again; as long as nothing changed the answer is a few bytes. Its
        # page keeps the tag itself: no cache may keep what is said of a farmer.
        answer.add_etag()
        answer.vary.update(["Authorization", "Cookie"])
        answer.make_conditional(request)
        return answer

    @api.get("/cases/<code>")
    def show_case(code: str) -> Response:
        with context.store.reading() as session:
            kiosk = kiosk_of(request, session)
            try:
                shown = kiosk_list.one(session, kiosk, codes.parse(code))
            except codes.BadCode as error:
                raise Problem(404, "bad_case_code", str(error)) from None
        if shown is None:
            raise Problem(404, "case_not_found", "no case of this kiosk has this code")
        return jsonify(shown)

    @api.get("/openapi.json")
    def describe() -> Response:
        return jsonify(openapi.document(context.catalogue.languages, context.settings.predict_for))

    predict.add_to(api, context)
    return api


def _accept(context: Context, upload: intake.Upload) -> intake.Accepted:
    try:
        return intake.accept(context.store, context.photos, upload)
    except PictureError as error:
        raise Problem(PICTURE_STATUS.get(error.code, 422), error.code, str(error)) from None
    except intake.UploadRefused as error:
        detail = str(error)
        if error.code == "consent_withdrawn":  # what the agent reads out
            language = upload.language or context.desk.language
            detail = context.catalogue.render("consent_again", language)
        raise Problem(REFUSED_STATUS.get(error.code, 409), error.code, detail) from None
    except PhotoStoreError as error:
        log.error("photo_not_written error=%s", error)
        detail = "the photo could not be kept just now; keep it and send it again"
        raise Problem(503, "storage_full", detail, {"Retry-After": "60"}) from None
