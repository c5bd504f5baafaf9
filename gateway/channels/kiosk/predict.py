"""`POST /api/predict`: one photo in, the model's word out, nothing kept."""

from __future__ import annotations

import threading

from flask import Blueprint, Response, jsonify, request

from gateway.channels.kiosk.auth import kiosk_of
from gateway.channels.kiosk.statuses import PICTURE_STATUS
from gateway.context import Context
from gateway.problems import Problem
from inference.guard import asked_by
from inference.verdict import reference_json

AT_ONCE = 2
"""Predictions at the same time in one process; the farmers' photos have workers of their own."""
WAIT_SECONDS = 5.0
FIELDS = ("photo", "file", "image")


def add_to(api: Blueprint, context: Context) -> None:
    """Add the route, unless the settings switch it off."""
    if context.settings.predict_for == "off":
        return
    seats = threading.BoundedSemaphore(AT_ONCE)

    @api.post("/predict")
    def predict() -> Response:
        if context.settings.predict_for == "kiosk":
            with context.store.reading() as session:
                kiosk_of(request, session)
        data = _photo()
        if not seats.acquire(timeout=WAIT_SECONDS):
            detail = "too many predictions at once; try again in a moment"
            raise Problem(503, "busy", detail, {"Retry-After": "5"})
        try:
            with asked_by("predict"):
                verdict = context.model.judge(data)
        finally:
            seats.release()
        if verdict.problem is not None:
            status = PICTURE_STATUS.get(verdict.problem, 422)
            raise Problem(status, verdict.problem, verdict.rationale)
        all_labels = request.args.get("labels") == "all"
        return jsonify(reference_json(verdict, all_labels=all_labels))


def _photo() -> bytes:
    """The first file of a form, or the body itself when it is a picture."""
    for name in FIELDS:
        if name in request.files:
            return bytes(request.files[name].read())
    if request.mimetype.startswith("image/") or request.mimetype == "application/octet-stream":
        return request.get_data()
    raise Problem(400, "missing_field", "send the photo as the file 'photo' of a form")
