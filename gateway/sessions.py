"""Who is signed in, in one signed cookie, and signed values that a form carries.

A role (`kiosk`, `officer`, `operator`) has its own entry with its own end, so that an officer who
is also an operator holds both. What the entry names is looked up again on each request: a person
who was disabled or signed out is out at once, also with a cookie from before.
"""

from __future__ import annotations

import secrets
import time
from datetime import timedelta

from flask import Flask, Request, current_app, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer

from gateway.context import Context
from gateway.people import lockout
from gateway.people.lockout import Place

LONGEST = timedelta(days=400)
"""Browsers keep no cookie longer than this (RFC 6265bis)."""

NAME = "leafline"
BARRED = "__Host-"
"""Before the name of a cookie: browsers take it over https alone, and from no other host."""
KNOWN = "known"
KNOWN_MOST = 8
"""People whom one browser is known to; the one before longest is forgotten for a ninth."""


class Cookies(SecureCookieSessionInterface):
    """Kiosks that were paired before the cookie had its prefix stay paired."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        opened = super().open_session(app, request)
        name = self.get_cookie_name(app)
        if opened is None or name == NAME or name in request.cookies or NAME not in request.cookies:
            return opened
        signing = self.get_signing_serializer(app)
        try:
            before = signing.loads(request.cookies[NAME]) if signing else {}
        except BadSignature:
            return opened
        if "kiosk" in before:
            opened["kiosk"] = before["kiosk"]
            opened.permanent = True
        return opened


def configure(app: Flask, context: Context) -> None:
    # One for each key of the ring: a rotation signs nobody out.
    newest, *older = context.store.vault.numbers("web sessions")
    app.secret_key = newest
    secure = context.settings.public_url.startswith("https:")
    app.session_interface = Cookies()
    app.config.update(
        SECRET_KEY_FALLBACKS=older,
        SESSION_COOKIE_NAME=f"{BARRED}{NAME}" if secure else NAME,
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=LONGEST,
        # Else every answer would set the cookie anew, static files would vary by it, and no
        # browser could keep them.
        SESSION_REFRESH_EACH_REQUEST=False,
    )


def sign_in(role: str, identity: int | str, lifetime: timedelta) -> None:
    """Remember this browser as `identity` for `lifetime`; a new sign-in replaces the old one."""
    session.permanent = True
    session[role] = {"id": identity, "until": int(time.time() + lifetime.total_seconds())}


def signed_in(role: str) -> int | str | None:
    """The identity of a sign-in that has not ended, or None."""
    entry = session.get(role)
    if not isinstance(entry, dict) or entry.get("until", 0) < time.time():
        return None
    identity: int | str | None = entry.get("id")
    return identity


def sign_out(role: str) -> None:
    session.pop(role, None)


def place(context: Context, who: str) -> Place:
    """From where this request tries to be `who`: a browser they were signed in with before, or
    an address. What the browser says of itself is signed, so that nobody else can say it."""
    marks = session.get(KNOWN)
    mark = marks.get(_about(context, who)) if isinstance(marks, dict) else None
    if isinstance(mark, str):
        return Place(f"browser {mark}", known=True)
    return lockout.at_address(request.remote_addr)


def know(context: Context, who: str) -> None:
    """`who` was signed in here: this browser is theirs, also after they have signed out."""
    marks = dict(session.get(KNOWN) or {})
    about = _about(context, who)
    mark = marks.pop(about, None) or secrets.token_urlsafe(9)
    kept = list(marks.items())[-(KNOWN_MOST - 1) :]
    session[KNOWN] = dict([*kept, (about, mark)])


def _about(context: Context, who: str) -> str:
    return context.store.vault.digest(f"known {who}")[:12]


def signer(purpose: str) -> URLSafeTimedSerializer:
    """Signs values for forms; `loads(value, max_age=seconds)` raises itsdangerous.BadSignature.

    A value signed for one purpose is refused for another.
    """
    older: list[str] = current_app.config["SECRET_KEY_FALLBACKS"]
    assert isinstance(current_app.secret_key, str)
    keys = [*reversed(older), current_app.secret_key]  # the last signs, all are tried
    return URLSafeTimedSerializer(keys, salt=f"leafline {purpose}")
