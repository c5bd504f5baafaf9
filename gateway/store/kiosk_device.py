from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.store.base import Base, Digest, Identity, Utc, now
from gateway.store.kiosk import Kiosk


class KioskDevice(Base):
    """A phone or tablet that a kiosk's page is paired with, from the code onwards."""

    __tablename__ = "kiosk_device"

    id: Mapped[Identity]
    kiosk_id: Mapped[int] = mapped_column(ForeignKey("kiosk.id"), index=True)
    code_digest: Mapped[Digest] = mapped_column(unique=True)
    """Of the pairing code, which works once, until `code_ends_at`."""
    code_ends_at: Mapped[datetime] = mapped_column(Utc)
    browser_digest: Mapped[str | None] = mapped_column(String(64))
    """Which browser used the code, so that it may repeat a request whose answer was lost."""
    paired_at: Mapped[datetime | None] = mapped_column(Utc)
    revoked_at: Mapped[datetime | None] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)

    kiosk: Mapped[Kiosk] = relationship(lazy="joined")
