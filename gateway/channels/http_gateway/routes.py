"""`/http-gateway/KEY/sms` and `/http-gateway/KEY/report`, by GET or POST.

Both are answered 200 once what came is kept, in the store or in the spool, whatever it is, with the
body that the gateway wants: Kannel would send any other to the farmer. 503 when neither can be
written, so that it comes again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from flask import Blueprint, Request, Response, request
from werkzeug.exceptions import HTTPException

from gateway.channels import secret_path
from gateway.channels.fields import cut
from gateway.channels.http_gateway.events import CALLBACKS
from gateway.channels.http_gateway.provider import PROVIDER
from gateway.channels.http_gateway.settings import OURS, HttpGateway
from gateway.channels.http_gateway.tables import Gateway
from gateway.channels.takers import Door
from gateway.context import Context
from gateway.store import patience

log = logging.getLogger("leafline.http_gateway")

CALLBACK_PATIENCE = 3.0
"""Seconds that the store has for one call before that goes to the spool."""
BODY_BYTES = 2 * 1024 * 1024
LONGEST = {"text": 4000, "content": 4000, "binary": 4000}
UCS2 = "8"


def blueprint(context: Context) -> Blueprint:
    """Raises: SettingsError. A wrong key is 404 before any parsing."""
    gateway = HttpGateway.read().gateway
    routes = Blueprint("http_gateway", __name__, url_prefix="/http-gateway/<key>")
    secret_path.guard(routes, context.settings.webhook_keys)
    door = Door(context, PROVIDER, log)

    @routes.route(f"/<any({', '.join(map(repr, CALLBACKS))}):kind>", methods=["GET", "POST"])
    @patience(CALLBACK_PATIENCE)
    def receive(kind: str) -> Response:
        if door.take(kind, ours(_given(request, gateway), gateway)):
            return Response(gateway.answer, mimetype="text/plain")
        return Response("try again\n", HTTPStatus.SERVICE_UNAVAILABLE, mimetype="text/plain")

    return routes


def ours(given: Mapping[str, str], gateway: Gateway) -> dict[str, str]:
    """The gateway's fields under our names, and what its status means."""
    found = {name: given.get(gateway.names.get(name, name), "") for name in OURS}
    found["id"] = given.get("ref", "") or found["id"]  # ours, from the report's address
    if given.get("coding") == UCS2 and given.get("binary"):
        found["text"] = _ucs2(given["binary"])
    if word := found["status"].strip().upper():
        meaning = gateway.statuses.get(word)
        if meaning is None:
            log.warning("delivery report with an unknown status kept")
        found["fate"], found["reason"] = meaning or ("", "")
    return found


def _given(request: Request, gateway: Gateway) -> dict[str, str]:
    """Fields of the address and of a form, that of the address first. Never an error."""
    request.max_content_length = request.max_form_memory_size = BODY_BYTES
    try:
        posted = list(request.form.items())
    except HTTPException:
        posted = []
    longest = LONGEST | {gateway.names.get("text", "text"): LONGEST["text"]}
    return cut([*posted, *request.args.items()], longest)


def _ucs2(digits: str) -> str:
    """A text of which Jasmin hands on the bytes, as hex digits."""
    try:
        return bytes.fromhex(digits).decode("utf-16-be", "replace")
    except ValueError:
        return ""
