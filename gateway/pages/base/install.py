"""Puts the shared parts into the application, and guards the blueprints of the pages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_compress import Compress
from flask_wtf.csrf import CSRFError, CSRFProtect
from jinja2 import FileSystemLoader, StrictUndefined
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import IntegerConverter

from gateway import agronomy, sessions
from gateway.context import Context
from gateway.dialogue.po import FALLBACK
from gateway.pages.base import headers, kept, language
from gateway.pages.base.assets import Assets
from gateway.pages.base.texts import PageTexts
from gateway.problems import Problem
from gateway.store import away

log = logging.getLogger(__name__)

csrf = CSRFProtect()


class Id(IntegerConverter):
    """A number in an address that fits the store's largest; a longer one is no page."""

    regex = r"\d{1,18}"


def install(app: Flask, context: Context) -> None:
    """Templates, texts, static files, cookies and compression.

    In templates: `t(key, **values)`, `lang`, `languages`, `asset(name)`, `csrf_token()`,
    `when(instant)`.

    Raises: CatalogueError: the texts of the pages have faults.
    """
    settings = context.settings
    texts = PageTexts.load(settings.templates / "pages" / "po")
    texts.require(agronomy.page_texts())
    assets = Assets(settings.templates / "static")
    app.extensions["leafline_texts"] = texts
    app.extensions["leafline_assets"] = assets
    sessions.configure(app, context)
    # Only the guarded blueprints check: webhooks and the API have keys of their own. The token
    # alone decides, with what the browser itself says of where a form came from: some send no
    # Referer, and a proxy may have changed the Host with which one would be compared.
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False
    )
    csrf.init_app(app)
    app.config.update(COMPRESS_ALGORITHM=["br", "gzip"])
    Compress(app)
    app.jinja_loader = FileSystemLoader(settings.templates / "pages")
    app.jinja_env.undefined = StrictUndefined
    app.url_map.converters["int"] = Id
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.register_blueprint(assets.blueprint())

    @app.context_processor
    def _names() -> dict[str, Any]:
        return {
            "t": t,
            "lang": spoken(),
            "languages": {
                code: texts.own("base_language_name", code)
                or context.catalogue.text(f"option_language_{code}", code)
                for code in context.catalogue.languages
            },
            "asset": assets.url,
            "here": _here,
            "when": partial(_when, zone=context.desk.zone),
            "service": settings.service_name,
        }


def _when(instant: datetime | None, zone: ZoneInfo) -> str:
    """As the clock on the wall shows it."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}" if instant else "–"


def _here(code: str) -> str:
    """This page in another language."""
    query = request.args.to_dict(flat=False) | {"lang": [code]}
    return "?" + urlencode(query, doseq=True)


def spoken() -> str:
    """The language of this request's pages, chosen when the first text is asked for: webhooks and
    programs have none."""
    if "language" not in g:
        context: Context = current_app.extensions["leafline"]
        known, own = context.catalogue.languages, context.settings.language
        g.language = language.chosen(request, known, own)
    return str(g.language)


def t(key: str, **values: object) -> str:
    """A page's text in the language of this request."""
    texts: PageTexts = current_app.extensions["leafline_texts"]
    return texts.text(key, spoken(), **values)


def has_text(key: str) -> bool:
    """Whether the pages have such a text."""
    texts: PageTexts = current_app.extensions["leafline_texts"]
    return texts.own(key, FALLBACK) is not None


def text_or_name(prefix: str, name: str) -> str:
    """The text of a name as it is kept; one that has none, as of a newer program, as it is."""
    key = f"{prefix}_{name}"
    return t(key) if has_text(key) else name.replace("_", " ")


def guard(pages: Blueprint) -> Blueprint:
    """CSRF check, security headers, language cookie and readable errors for a pages blueprint."""

    @pages.before_request
    def _check_origin() -> None:
        csrf.protect()
        strange = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        if strange and request.method not in ("GET", "HEAD", "OPTIONS"):
            raise CSRFError("The form is another site's.")

    @pages.after_request
    def _finish(response: Response) -> Response:
        context: Context = current_app.extensions["leafline"]
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        language.keep(request, response, context.catalogue.languages, secure)
        response.vary.update(["Cookie", "Accept-Language"])
        return headers.harden(response)

    @pages.errorhandler(CSRFError)
    def _forged(_error: CSRFError) -> tuple[str, int]:
        lost = kept.written()
        words = lost.words if lost else []
        return render_template("error.html", reason="base_error_form", words=words), 400

    @pages.errorhandler(HTTPException)
    def _refused(error: HTTPException) -> ResponseReturnValue | HTTPException:
        return error_response(error)

    @pages.errorhandler(Problem)
    def _problem(problem: Problem) -> Response:
        return problem.response()

    @pages.errorhandler(Exception)
    def _fault(error: Exception) -> ResponseReturnValue:
        if away(error):
            log.error("store_away endpoint=%s error=%s", request.endpoint, type(error).__name__)
            return _error_page(503), 503, {"Retry-After": "15"}
        log.exception("unexpected endpoint=%s error=%s", request.endpoint, type(error).__name__)
        return _error_page(500), 500

    return pages


def error_response(error: HTTPException) -> ResponseReturnValue | HTTPException:
    """A refusal as a page for whoever reads pages, and as it is for everybody else.

    Pages that answer a form have an address that takes forms only. Asked for again (in another
    language, by a browser that opens its tabs anew) it leads to the page above it.
    """
    status = error.code or 500
    if status < 400 or not request.accept_mimetypes.accept_html or "Accept" not in request.headers:
        return error
    if isinstance(error, MethodNotAllowed) and request.method == "GET":
        readable = current_app.create_url_adapter(request)
        above = readable and page_above(request.path, lambda path: readable.test(path, "GET"))
        if above:
            spoken = {"lang": request.args["lang"]} if "lang" in request.args else {}
            return redirect(f"{above}?{urlencode(spoken)}" if spoken else above)
    page = error.get_response()
    plain = current_app.make_response((_error_page(status), status))
    if "Allow" in page.headers:
        plain.headers["Allow"] = page.headers["Allow"]
    return headers.harden(plain)


def page_above(path: str, readable: Callable[[str], bool]) -> str | None:
    """The nearest address above `path` that can be read, or None."""
    while path := path.rpartition("/")[0]:
        if readable(path):
            return path
    return None


def _error_page(status: int) -> str:
    """What to do next, in the reader's language; no status, no trace."""
    known = {403: "base_error_forbidden", 404: "base_error_not_found", 429: "base_error_too_often"}
    fallback = "base_error_ours" if status >= 500 else "base_error_request"
    return render_template("error.html", reason=known.get(status, fallback), words=[])
