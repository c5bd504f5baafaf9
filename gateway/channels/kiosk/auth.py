"""Who is at the kiosk's door: a bearer token."""

from __future__ import annotations

from flask import Request
from sqlalchemy.orm import Session

from gateway.people import kiosks
from gateway.problems import Problem
from gateway.store.models import Kiosk

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="leafline"'}


def kiosk_of(request: Request, session: Session) -> Kiosk:
    """Raises: Problem 401 (no or unknown token) or 403 (kiosk disabled)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.casefold() != "bearer" or not token:
        detail = "send the kiosk's token in the header 'Authorization: Bearer TOKEN'"
        raise Problem(401, "missing_token", detail, CHALLENGE)
    kiosk = kiosks.by_token(session, token)
    if kiosk is None:
        raise Problem(401, "unknown_kiosk", "this token belongs to no kiosk", CHALLENGE)
    if kiosk.disabled_at is not None:
        detail = "this kiosk is switched off; ask the operator"
        raise Problem(403, "kiosk_disabled", detail)
    return kiosk
