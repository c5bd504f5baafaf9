"""The pages at /kiosk: taking a photo, the day's list, a case, a slip; manifest and worker."""

from __future__ import annotations

import mimetypes
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from gateway import sessions
from gateway.agronomy import CROPS
from gateway.agronomy.table import TOLD
from gateway.cases import codes, kiosk_list, life
from gateway.cases.intake import MAX_PHOTOS
from gateway.channels.kiosk import form
from gateway.context import Context
from gateway.pages.base import guard, t
from gateway.pages.base.assets import Assets
from gateway.pages.base.install import spoken
from gateway.pages.base.texts import PageTexts
from gateway.pages.kiosk import bounds, door
from gateway.people import hours, msisdn
from gateway.store.models import Kiosk
from inference.flaws import BLURRED, DARK, LEAF_TOO_SMALL, OVEREXPOSED
from inference.picture import SUFFIXES

PAPERS = ("80", "a4")
FLAWS = (BLURRED, DARK, OVEREXPOSED, LEAF_TOO_SMALL)
MODULES = (
    "kiosk/app.js",
    "kiosk/bounds.js",
    "kiosk/draft.js",
    "kiosk/form.js",
    "kiosk/phone.js",
    "kiosk/photos.js",
    "kiosk/picture.js",
    "kiosk/queue.js",
    "kiosk/send.js",
    "kiosk/show.js",
    "kiosk/today.js",
    "vendor/idb/index.js",
)
OFFLINE = ("base/base.css", "base/leaf.svg", "kiosk/kiosk.css", "kiosk/start.js", *MODULES)
"""Files that the page needs without a network."""
ICONS = (
    ("leaf.svg", "any", "any"),
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-maskable-512.png", "512x512", "maskable"),
)


def blueprint(context: Context) -> Blueprint:
    pages = Blueprint("kiosk", __name__, url_prefix="/kiosk")
    door.add_to(pages, context)

    @pages.get("")
    @door.for_phones(context)
    def home(kiosk: Kiosk) -> ResponseReturnValue:
        device = sessions.signed_in(door.ROLE)
        assert device is not None
        sessions.sign_in(door.ROLE, device, door.LIFETIME)
        return render_template(
            "kiosk/home.html",
            kiosk=kiosk,
            crops=CROPS,
            accept=",".join(["image/*", *sorted(SUFFIXES)]),
            modules=MODULES,
            told=TOLD,
            say=_catalogue(context),
            names=_names(context),
            bounds=bounds.bounds(context.settings),
            example=bounds.example(context.settings.region),
            ask_again=lambda code: context.catalogue.render("consent_again", code),
            longest={
                "place": form.LONGEST_PLACE,
                "phone": msisdn.LONGEST_TYPED,
                "name": form.LONGEST_NAME,
            },
            shell=assets().version,
        )

    @pages.get("/cases")
    @door.for_phones(context)
    def cases(kiosk: Kiosk) -> ResponseReturnValue:
        with context.store.reading() as store:
            shown = kiosk_list.recent(store, kiosk)
        return render_template(
            "kiosk/cases.html", kiosk=kiosk, cases=shown, say=_catalogue(context)
        )

    @pages.get("/cases/<code>")
    @door.for_phones(context)
    def case(kiosk: Kiosk, code: str) -> ResponseReturnValue:
        shown = _case(context, kiosk, code)
        more = shown["photos"] < MAX_PHOTOS and shown["state"] != life.CLOSED
        return render_template(
            "kiosk/case.html", kiosk=kiosk, case=shown, more=more, flaws=FLAWS,
            say=_catalogue(context),
        )  # fmt: skip

    @pages.get("/cases/<code>/slip")
    @door.for_phones(context)
    def slip(kiosk: Kiosk, code: str) -> ResponseReturnValue:
        paper = request.args.get("paper", PAPERS[0])
        if paper not in PAPERS:
            abort(404)
        shown = _case(context, kiosk, code)
        return render_template(
            "kiosk/slip.html", kiosk=kiosk, case=shown, paper=paper, papers=PAPERS,
            say=_catalogue(context), ussd=context.settings.ussd_code,
            day=hours.day(datetime.fromisoformat(shown["created_at"]), context.desk.zone),
        )  # fmt: skip

    @pages.get("/manifest.webmanifest")
    def manifest() -> ResponseReturnValue:
        return _manifest(context.settings.service_name)

    @pages.get("/worker.js")
    def worker() -> ResponseReturnValue:
        files = assets()
        script = render_template(
            "kiosk/worker.js", files=[files.url(name) for name in OFFLINE], version=files.version
        )
        response = Response(script, mimetype="text/javascript")
        response.headers["Service-Worker-Allowed"] = "/kiosk"
        response.cache_control.no_cache = True
        return response

    return guard(pages)


def assets() -> Assets:
    found: Assets = current_app.extensions["leafline_assets"]
    return found


def _case(context: Context, kiosk: Kiosk, code: str) -> dict[str, Any]:
    try:
        parsed = codes.parse(code)
    except codes.BadCode:
        abort(404)
    with context.store.reading() as store:
        shown = kiosk_list.one(store, kiosk, parsed)
    return shown or abort(404)


def _manifest(service: str) -> Response:
    files = assets()
    icons = [
        {
            "src": files.url(f"base/{name}"),
            "sizes": sizes,
            "type": mimetypes.guess_type(name)[0],
            "purpose": purpose,
        }
        for name, sizes, purpose in ICONS
    ]
    response = jsonify(
        id="/kiosk",
        name=f"{service} {t('kiosk_title')}",
        short_name=service,
        lang=spoken(),
        start_url="/kiosk",
        scope="/kiosk",
        display="standalone",
        background_color="#ffffff",
        theme_color="#0b5d2a",
        icons=icons,
    )
    response.mimetype = "application/manifest+json"
    return response


def _catalogue(context: Context) -> Any:
    """Names that farmers know from their messages, in the language of the page."""

    def say(prefix: str, name: str | None) -> str:
        return context.catalogue.text(f"{prefix}_{name or 'unknown'}", spoken())

    return say


def _names(context: Context) -> dict[str, str]:
    """What the page's scripts say: their texts, and the names of crops, diseases and states."""
    texts: PageTexts = current_app.extensions["leafline_texts"]
    names = {
        key: context.catalogue.text(key, spoken())
        for prefix in ("crop_", "disease_", "state_")
        for key in context.catalogue.keys_of(prefix)
    }
    return names | texts.starting_with("kiosk_js_", spoken())
