"""Who is at the kiosk's door: a program with a bearer token, or a paired phone."""

from __future__ import annotations

from flask import Request
from sqlalchemy.orm import Session

from gateway import sessions
from gateway.people import kiosks, pairing
from gateway.problems import Problem
from gateway.store.models import Kiosk

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="leafline"'}


PAGE_HEADER = "X-Kiosk-Page"
"""Sent by the kiosk's page with what it posts. No other site can send it (that takes a CORS
preflight, which is never granted), so the page's cookie cannot be used from there."""


def kiosk_of(request: Request, session: Session) -> Kiosk:
    """The kiosk by its bearer token, or by the cookie of a phone paired with it.

    Raises: Problem 401 (no or unknown token) or 403 (kiosk disabled, or not from our page).
    """
    header = request.headers.get("Authorization")
    device = sessions.signed_in("kiosk")
    if header is None and isinstance(device, int):
        kiosk = _by_device(request, session, device)
    else:
        kiosk = _by_token(session, header or "")
    if kiosk.disabled_at is not None:
        detail = "this kiosk is switched off; ask the operator"
        raise Problem(403, "kiosk_disabled", detail)
    return kiosk


def _by_token(session: Session, header: str) -> Kiosk:
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.casefold() != "bearer" or not token:
        detail = "send the kiosk's token in the header 'Authorization: Bearer TOKEN'"
        raise Problem(401, "missing_token", detail, CHALLENGE)
    kiosk = kiosks.by_token(session, token)
    if kiosk is None:
        raise Problem(401, "unknown_kiosk", "this token belongs to no kiosk", CHALLENGE)
    return kiosk


def _by_device(request: Request, session: Session, device: int) -> Kiosk:
    if request.method not in ("GET", "HEAD") and PAGE_HEADER not in request.headers:
        raise Problem(403, "not_from_page", f"the header '{PAGE_HEADER}' is missing")
    kiosk = pairing.kiosk_of(session, device)
    if kiosk is None:
        raise Problem(401, "unpaired", "this phone was signed out; pair it again", CHALLENGE)
    return kiosk
