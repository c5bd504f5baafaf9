"""The web process: every door of Leafline on one Flask application."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Request, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict, iter_multi_items
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from gateway import forms, health, trace, words
from gateway.channels import kiosk, providers
from gateway.channels.mms import routes as mms
from gateway.context import Context
from gateway.pages import base, front, officer, operator
from gateway.pages import kiosk as kiosk_pages
from gateway.pages import simulator as proxy
from gateway.problems import Problem
from gateway.settings import Settings
from gateway.store import away, patience
from inference.guard import DecoderBusy

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

FORM_ROOM = 64 * 1024
"""Bytes that an upload may take beside its photo."""
PATIENCE = 8.0
"""Seconds that the store has for one request, unless its door says less: threads that wait for a
store that hangs are missing elsewhere, and vendors and kiosks wait for ten at least."""
PARSER_ROOM = 256 * 1024
"""Werkzeug holds a file's bytes to this limit too, as long as they lie in its buffer, and reads 64
KiB at a time: with less than twice that, photos are refused by chance."""


class CleanParameters(ImmutableMultiDict[str, Any]):
    """Fields of forms and addresses, and files, as every door reads them."""

    def __init__(self, mapping: Any = None) -> None:
        pairs = list(iter_multi_items(mapping)) if mapping is not None else []
        named = [(name, value) for name, value in pairs if name is not None]  # a part needs none
        super().__init__([(words.clean(name), _cleaned(name, value)) for name, value in named])
        self.as_sent = pairs
        """For signatures, which are of every letter."""


def _cleaned(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # What is compared with a digest of itself stays letter by letter.
    return words.clean(value) if "password" in name else words.typed(value)


class PatientRequest(Request):
    """Form fields are small; a photo is bounded by MAX_CONTENT_LENGTH."""

    parameter_storage_class = CleanParameters
    form_data_parser_class = forms.BoundedForms
    max_form_memory_size = PARSER_ROOM
    max_form_parts = 40

    def __init__(self, environ: WSGIEnvironment, *args: Any, **named: Any) -> None:
        # Bytes that are no UTF-8 may come as they are; Werkzeug expects letters or percent signs.
        query: bytes = environ.get("QUERY_STRING", "").encode("latin-1", "replace")
        environ["QUERY_STRING"] = forms.quoted(query).decode()
        super().__init__(environ, *args, **named)

    def _get_file_stream(self, *_about: object, **_named: object) -> IO[bytes]:
        """In memory: a temporary file would hold somebody's photo unsealed."""
        return BytesIO()


def largest_body(settings: Settings) -> int:
    """Bytes of the largest request that any door takes."""
    return settings.photo_max_bytes + FORM_ROOM


def create_app(settings: Settings) -> Flask:
    """Make the application; nothing happens before this is called.

    Raises: SettingsError, StoreError, CatalogueError, AgronomyError: one line that says what to do.
    """
    context = Context.open(settings)
    app = Flask(__name__, static_folder=None)
    app.request_class = PatientRequest
    app.config["MAX_CONTENT_LENGTH"] = largest_body(settings)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["leafline"] = context
    base.install(app, context)
    app.register_blueprint(health.blueprint(context))
    app.register_blueprint(kiosk.blueprint(context))
    for provider in providers.every():  # also those by which nothing leaves now: reports come late
        app.register_blueprint(provider.blueprint(context))
    app.register_blueprint(mms.blueprint(context))
    app.register_blueprint(front.blueprint(context))
    app.register_blueprint(kiosk_pages.blueprint(context))
    app.register_blueprint(officer.blueprint(context))
    app.register_blueprint(operator.blueprint(context))
    if settings.simulator_on:
        app.register_blueprint(proxy.blueprint(context))
    # Around the request, not its stream: a long export is as slow as its reader.
    app.wsgi_app = trace.requests(patience(PATIENCE)(app.wsgi_app))  # type: ignore[method-assign]
    app.after_request(_close)
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DecoderBusy, _busy)
    app.register_error_handler(Exception, _unexpected)
    return app


def _close(response: Response) -> Response:
    """What no answer of any door may lack. Nothing of a program's is kept by a cache, and nothing
    of anybody's that does not say so; a browser reads nothing as another type than we say."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.path.startswith("/api/") or "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if where := response.headers.get("Location"):
        # The router names the host that the client named, which anybody may have made up.
        parts = urlsplit(where)
        response.headers["Location"] = urlunsplit(
            ("", "", f"/{parts.path.lstrip('/')}", *parts[3:])
        )
    if request.is_secure or current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _busy(error: DecoderBusy) -> ResponseReturnValue:
    """Of the kiosk, `/api/predict`, pictures by MMS and officers' pictures alike."""
    log.warning("decoder_busy error=%s", error)
    detail = "many photos are being opened just now; keep the photo and send it again later"
    return Problem(503, "busy", detail, {"Retry-After": "30"}).response()


def _http_error(error: HTTPException) -> ResponseReturnValue | HTTPException:
    """Refusals that Flask itself makes, in the form that the asker can read."""
    if not request.path.startswith("/api/"):
        return base.error_response(error)
    if isinstance(error, RequestEntityTooLarge):
        return Problem(413, "too_large", "the photo or one of the fields is too large").response()
    status = error.code or 500
    code = (error.name or "error").lower().replace(" ", "_")
    headers = {}
    if "Allow" in (plain := error.get_response()).headers:
        headers["Allow"] = plain.headers["Allow"]
    return Problem(status, code, f"{request.method} is not possible here", headers).response()


def _unexpected(error: Exception) -> Response:
    """A fault of ours: named in the log, never shown."""
    if away(error):
        log.error("store_away endpoint=%s error=%s", request.endpoint, type(error).__name__)
        detail = "the store cannot be reached just now; keep what you sent and send it again"
        return Problem(503, "store_away", detail, {"Retry-After": "15"}).response()
    log.exception("unexpected endpoint=%s error=%s", request.endpoint, type(error).__name__)
    detail = "something went wrong on our side; nothing was lost, please try again"
    return Problem(500, "internal_error", detail).response()
