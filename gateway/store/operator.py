from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Identity, Secret, Utc, now


class Operator(Base):
    """Somebody who runs the service and signs in with a password and a one-time code."""

    __tablename__ = "operator"

    id: Mapped[Identity]
    name: Mapped[str] = mapped_column(String(40), unique=True)
    """Lower case."""
    role: Mapped[str] = mapped_column(String(8))
    """`admin` or `viewer`; see gateway.people.operators."""
    password_hash: Mapped[str] = mapped_column(String(200))
    totp_secret: Mapped[Secret]
    totp_step: Mapped[int] = mapped_column(Integer, default=0)
    """Time step of the last code that was used: it, and those before it, are spent."""
    recovery: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Keyed digests of the recovery codes that are left."""
    disabled_at: Mapped[datetime | None] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
