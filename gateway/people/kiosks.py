"""Kiosks: added by the operator, recognised by a bearer token kept only as a digest."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway import words
from gateway.people import PeopleError
from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Event, Kiosk

TOKEN_PREFIX = "lfk_"  # noqa: S105 - lets a leaked token be recognised for what it is
TOKEN_BYTES = 32


def add(
    session: Session, name: str, area: str, opening: str | None = None, *, by: str = "operator"
) -> tuple[Kiosk, str]:
    """Make a kiosk and its token; the token is shown once and never again.

    Raises: PeopleError when the name is empty, too long or taken.
    """
    name, area = words.line(name), _area(area)
    if not name or len(name) > 80:
        raise PeopleError("kiosk_name", "a kiosk needs a name of 1 to 80 characters")
    if session.scalar(select(Kiosk.id).where(Kiosk.name == name)):
        raise PeopleError("kiosk_taken", f"a kiosk named {name!r} exists already", name=name)
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    digest = vault_of(session).digest(token)
    opening = opening and words.line(opening)
    kiosk = Kiosk(name=name, area=area, opening=opening, token_digest=digest)
    session.add(kiosk)
    session.flush()
    session.add(Event(kind="kiosk_added", actor=by, data={"kiosk": kiosk.id}))
    return kiosk, token


def by_token(session: Session, token: str) -> Kiosk | None:
    """The kiosk with this token, disabled ones too. A look-up by keyed digest takes the same
    time whatever the token shares with a real one."""
    digest = vault_of(session).digest(token)
    return session.scalar(select(Kiosk).where(Kiosk.token_digest == digest))


def find(session: Session, name_or_id: str) -> Kiosk:
    """Raises: PeopleError when there is no such kiosk."""
    query = select(Kiosk).where(Kiosk.name == name_or_id)
    kiosk = session.scalar(query)
    if kiosk is None and name_or_id.isascii() and name_or_id.isdigit():
        kiosk = session.get(Kiosk, int(name_or_id))
    if kiosk is None:
        text = f"there is no kiosk {name_or_id!r}; see `leafline kiosk list`"
        raise PeopleError("kiosk_unknown", text, name=name_or_id)
    return kiosk


def change(
    session: Session,
    kiosk: Kiosk,
    *,
    area: str,
    opening: str | None,
    position: tuple[float, float] | None,
    by: str,
) -> None:
    """Change what may change of a kiosk.

    Args:
        position: latitude and longitude, WGS 84 degrees.

    Raises: PeopleError when a value cannot be.
    """
    if opening is not None and len(opening) > 40:
        raise PeopleError("opening_long", "opening days have at most 40 characters")
    latitude, longitude = position or (None, None)
    if position and not (-90 <= position[0] <= 90 and -180 <= position[1] <= 180):
        text = "a latitude is -90 to 90 degrees, a longitude -180 to 180"
        raise PeopleError("position_range", text)
    kiosk.area, kiosk.opening = _area(area), opening and words.line(opening)
    kiosk.latitude, kiosk.longitude = latitude, longitude
    session.add(Event(kind="kiosk_changed", actor=by, data={"kiosk": kiosk.id}))


def enable(session: Session, kiosk: Kiosk, *, by: str) -> None:
    """Let a disabled kiosk in again, with the token and the phones it had."""
    kiosk.disabled_at = None
    session.add(Event(kind="kiosk_enabled", actor=by, data={"kiosk": kiosk.id}))


def disable(session: Session, name_or_id: str, *, by: str = "operator") -> Kiosk:
    """Raises: PeopleError when there is no such kiosk."""
    kiosk = find(session, name_or_id)
    kiosk.disabled_at = kiosk.disabled_at or now()
    session.add(Event(kind="kiosk_disabled", actor=by, data={"kiosk": kiosk.id}))
    return kiosk


def listed(session: Session) -> list[Kiosk]:
    return list(session.scalars(select(Kiosk).order_by(Kiosk.id)))


def _area(raw: str) -> str:
    area = words.line(raw)
    if not area or len(area) > 80:
        raise PeopleError("kiosk_area", "a kiosk needs an area of 1 to 80 characters")
    return area
