"""Who is signed in, in one signed cookie, and signed values that a form carries.

A role (`kiosk`, `officer`, `operator`) has its own entry with its own end, so that an officer who
is also an operator holds both. What the entry names is looked up again on each request: a person
who was disabled is out at once.
"""

from __future__ import annotations

import time
from datetime import timedelta

from flask import Flask, current_app, session
from itsdangerous import URLSafeTimedSerializer

from gateway.context import Context

LONGEST = timedelta(days=400)
"""Browsers keep no cookie longer than this (RFC 6265bis)."""


def configure(app: Flask, context: Context) -> None:
    # One for each key of the ring: a rotation signs nobody out.
    newest, *older = context.store.vault.numbers("web sessions")
    app.secret_key = newest
    app.config.update(
        SECRET_KEY_FALLBACKS=older,
        SESSION_COOKIE_NAME="leafline",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=context.settings.public_url.startswith("https:"),
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


def signer(purpose: str) -> URLSafeTimedSerializer:
    """Signs values for forms; `loads(value, max_age=seconds)` raises itsdangerous.BadSignature.

    A value signed for one purpose is refused for another.
    """
    older: list[str] = current_app.config["SECRET_KEY_FALLBACKS"]
    assert isinstance(current_app.secret_key, str)
    keys = [*reversed(older), current_app.secret_key]  # the last signs, all are tried
    return URLSafeTimedSerializer(keys, salt=f"leafline {purpose}")
