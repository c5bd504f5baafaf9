from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Utc, now


class SealKey(Base):
    """A key with which something in this store may be sealed; the key itself is not here."""

    __tablename__ = "seal_key"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    """See gateway.store.vault.Key."""
    lasting: Mapped[bytes] = mapped_column(LargeBinary)
    """The key of lasting digests, sealed with this one."""
    photos_done: Mapped[int] = mapped_column(Integer, default=0)
    """Id of the last photo that was sealed anew with this key."""
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
