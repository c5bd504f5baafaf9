"""Kiosks: added by the operator, recognised by a bearer token kept only as a digest."""

from __future__ import annotations

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.people import PeopleError
from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Event, Kiosk

TOKEN_PREFIX = "lfk_"  # noqa: S105 - lets a leaked token be recognised for what it is
TOKEN_BYTES = 32


def add(session: Session, name: str, area: str, opening: str | None = None) -> tuple[Kiosk, str]:
    """Make a kiosk and its token; the token is shown once and never again.

    Raises: PeopleError when the name is empty, too long or taken.
    """
    name, area = name.strip(), area.strip()
    if not name or not area or len(name) > 80 or len(area) > 80:
        raise PeopleError("a kiosk needs a name and an area of 1 to 80 characters")
    if session.scalar(select(Kiosk.id).where(Kiosk.name == name)):
        raise PeopleError(f"a kiosk named {name!r} exists already")
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    digest = vault_of(session).digest(token)
    kiosk = Kiosk(name=name, area=area, opening=opening, token_digest=digest)
    session.add(kiosk)
    session.flush()
    session.add(Event(kind="kiosk_added", actor="operator", data={"kiosk": kiosk.id}))
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
        raise PeopleError(f"there is no kiosk {name_or_id!r}; see `leafline kiosk list`")
    return kiosk


def disable(session: Session, name_or_id: str) -> Kiosk:
    """Raises: PeopleError when there is no such kiosk."""
    kiosk = find(session, name_or_id)
    kiosk.disabled_at = kiosk.disabled_at or now()
    session.add(Event(kind="kiosk_disabled", actor="operator", data={"kiosk": kiosk.id}))
    return kiosk


def listed(session: Session) -> list[Kiosk]:
    return list(session.scalars(select(Kiosk).order_by(Kiosk.id)))
