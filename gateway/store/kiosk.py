from __future__ import annotations

from datetime import datetime

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Identity, Utc, now


class Kiosk(Base):
    """A partner's place where leaves are photographed. Its token is kept as a digest only."""

    __tablename__ = "kiosk"

    id: Mapped[Identity]
    name: Mapped[str] = mapped_column(String(80), unique=True)
    area: Mapped[str] = mapped_column(String(80))
    opening: Mapped[str | None] = mapped_column(String(40))
    """Opening days, as farmers are told."""
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    """Where it stands, WGS 84 degrees; places its area on the map."""
    token_digest: Mapped[Digest] = mapped_column(unique=True)
    old_token_digest: Mapped[Digest | None] = mapped_column(index=True)
    old_token_until: Mapped[datetime | None] = mapped_column(Utc)
    """Until when the token of before a rotation is taken too."""
    disabled_at: Mapped[datetime | None] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
