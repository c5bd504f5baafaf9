from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Identity, Sealed, Utc, now


class Profile(Base):
    """One of several people on a farmer's phone, by the name that a kiosk was told."""

    __tablename__ = "profile"

    id: Mapped[Identity]
    farmer_id: Mapped[str] = mapped_column(ForeignKey("farmer.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Sealed)
    language: Mapped[str | None] = mapped_column(String(2))
    consent_at: Mapped[datetime | None] = mapped_column(Utc)
    consent_version: Mapped[str | None] = mapped_column(String(16))
    """Of the text agreed to; stays when the consent is withdrawn."""
    consent_by: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
