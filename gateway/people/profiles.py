"""People who share a phone: each has a language and a consent of their own.

Who comes without a name is the number's own farmer. A name is asked for only where somebody else
turns up, and makes a profile; the first to come to a new number is its farmer too.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.store.models import Farmer, Profile
from gateway.words import plain


def called(session: Session, farmer: Farmer, name: str) -> Profile | None:
    """However it is written."""
    wanted = plain(name) or name
    return next(
        (one for one in of(session, farmer) if (plain(one.name) or one.name) == wanted), None
    )


def of(session: Session, farmer: Farmer) -> list[Profile]:
    mine = select(Profile).where(Profile.farmer_id == farmer.id).order_by(Profile.id)
    return list(session.scalars(mine))


def find_or_add(session: Session, farmer: Farmer, name: str) -> Profile:
    """The caller holds the farmer, so that a name comes in once."""
    profile = called(session, farmer, name)
    if profile is None:
        profile = Profile(farmer_id=farmer.id, name=name)
        session.add(profile)
        session.flush()
    return profile
