"""The language of a page: asked for in the address, kept in a cookie, or the browser's own."""

from __future__ import annotations

from flask import Request, Response

COOKIE = "leafline_language"
YEAR_SECONDS = 365 * 24 * 3600


def chosen(request: Request, known: tuple[str, ...], default: str) -> str:
    """One of `known`: `?lang=`, then the cookie, then Accept-Language, then `default`."""
    for code in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if code in known:
            return code
    for wanted, _quality in request.accept_languages:
        if (code := wanted[:2].lower()) in known:
            return code
    return default


def keep(request: Request, response: Response, known: tuple[str, ...], secure: bool) -> None:
    """Remember a language that was asked for in the address."""
    code = request.args.get("lang")
    if code in known:
        response.set_cookie(
            COOKIE, code, max_age=YEAR_SECONDS, secure=secure, httponly=True, samesite="Lax"
        )
