"""Signing in a kiosk's phone, and knowing it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import generate_csrf

from gateway import sessions
from gateway.context import Context
from gateway.people import pairing
from gateway.store.models import Kiosk

ROLE = "kiosk"
LIFETIME = timedelta(days=180)
"""Renewed each time the page is opened with a network."""

P = ParamSpec("P")
Page = Callable[P, ResponseReturnValue]
KioskPage = Callable[Concatenate[Kiosk, P], ResponseReturnValue]


def for_phones(context: Context) -> Callable[[KioskPage[P]], Page[P]]:
    """A page for paired phones, its kiosk handed in first; others are sent to the door."""

    def decorate(page: KioskPage[P]) -> Page[P]:
        @wraps(page)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            device = sessions.signed_in(ROLE)
            kiosk = None
            if isinstance(device, int):
                with context.store.reading() as store:
                    kiosk = pairing.kiosk_of(store, device)
            if kiosk is None or kiosk.disabled_at is not None:
                return redirect(url_for("kiosk.pair", closed=1 if device else None))
            return page(kiosk, *args, **kwargs)

        return guarded

    return decorate


def add_to(pages: Blueprint, context: Context) -> None:
    """Add pairing and signing out."""

    @pages.get("/pair")
    def pair() -> ResponseReturnValue:
        return _form(typed=request.args.get("code", ""), closed="closed" in request.args)

    @pages.post("/pair")
    def use_code() -> ResponseReturnValue:
        typed = request.form.get("code", "")
        generate_csrf()
        try:
            with context.store.transaction() as store:
                device = pairing.pair(store, typed, browser=session["csrf_token"])
        except pairing.BadPairing:
            return _form(typed, wrong=True), 422
        sessions.sign_in(ROLE, device.id, LIFETIME)
        return redirect(url_for("kiosk.home"), 303)

    @pages.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        device = sessions.signed_in(ROLE)
        if isinstance(device, int):
            with context.store.transaction() as store:
                if (kiosk := pairing.kiosk_of(store, device)) is not None:
                    pairing.unpair(store, kiosk, device)
        sessions.sign_out(ROLE)
        return redirect(url_for("kiosk.pair"), 303)


def _form(typed: str, *, wrong: bool = False, closed: bool = False) -> str:
    return render_template("kiosk/pair.html", typed=typed[:40], wrong=wrong, closed=closed)
