from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Identity, Utc, now


class Erasure(Base):
    """Somebody had everything deleted: a restored backup must not bring it back."""

    __tablename__ = "erasure"
    __table_args__ = (UniqueConstraint("number_digest", "at"),)

    id: Mapped[Identity]
    number_digest: Mapped[Digest]
    """Lasting digest of the number."""
    at: Mapped[datetime] = mapped_column(Utc, default=now)
