"""Links in officers' messages: short, random, for one officer and one case, for a while, once.

A signed value would not leave room for the message, so the link is a random token whose keyed
digest is kept. A link alone shows nothing: it stands for the officer's number, and the PIN is
asked for.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Case, Officer, OfficerLink

log = logging.getLogger(__name__)

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"
"""No look-alikes (0 O, 1 I l, o): some officers type the link over from another phone."""
LENGTH = 8
"""46 bits: a thousand open links are still 2^36 guesses away, and then a PIN is asked for."""
LIFETIME = timedelta(days=3)
PATH = "/o/"

State = Literal["open", "used", "expired"]


def base(public_url: str, room: int) -> str:
    """What stands before the token in a message; empty when links are off or do not fit.

    Args:
        public_url: address of the web process as people reach it; empty switches links off.
        room: septets that the messages leave for a link, proved with every text.
    """
    if not public_url:
        return ""
    address = public_url.rstrip("/") + PATH
    if len(address) + LENGTH > room:
        log.warning("links_too_long longest=%s room=%s: not sent", len(address) + LENGTH, room)
        return ""
    return address


def issue(session: Session, officer: Officer, case: Case) -> str:
    """Make a link of the officer to the case and return its token, which is kept nowhere."""
    token = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    session.add(
        OfficerLink(
            token_digest=_digest(session, token),
            officer=officer,
            case=case,
            expires_at=now() + LIFETIME,
        )
    )
    session.flush()
    return token


def find(session: Session, token: str, *, lock: bool = False) -> OfficerLink | None:
    """The link with this token, its officer and case loaded; None when there never was one."""
    query = (
        select(OfficerLink)
        .where(OfficerLink.token_digest == _digest(session, token))
        .options(joinedload(OfficerLink.officer), joinedload(OfficerLink.case))
    )
    return session.scalar(query.with_for_update(of=OfficerLink) if lock else query)


def state(link: OfficerLink, moment: datetime) -> State:
    if link.used_at is not None:
        return "used"
    return "expired" if link.expires_at <= moment else "open"


def _digest(session: Session, token: str) -> str:
    return vault_of(session).digest(f"officer link {token}")
