from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Identity, Utc, now


class UssdSession(Base):
    """How one USSD session ended, as the network's end event tells it. No step waits for it."""

    __tablename__ = "ussd_session"
    __table_args__ = (Index("ix_ussd_session_address", "address_digest"),)

    id: Mapped[Identity]
    session_id: Mapped[str] = mapped_column(String(80), unique=True)
    address_digest: Mapped[Digest | None]
    network_code: Mapped[str] = mapped_column(String(8), default="")
    status: Mapped[str] = mapped_column(String(16), default="")
    """`Success`, `Incomplete`, `Failed`, or a word we do not know yet."""
    hops: Mapped[int | None] = mapped_column(Integer)
    screens: Mapped[str] = mapped_column(String(1000), default="", server_default="")
    """What we called the screens, joined by `|`: on which of them people break off."""
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    cost: Mapped[str] = mapped_column(String(20), default="")
    """As sent: the network does not say in which form or currency."""
    error: Mapped[str] = mapped_column(String(200), default="")
    ended_at: Mapped[datetime] = mapped_column(Utc, default=now, index=True)
