from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Utc, now


class LoosePhoto(Base):
    """Bytes that may lie in the photo store without a photo of a case: an upload that has begun, or
    a deletion that has. Gone when the upload is accepted, or the bytes are."""

    __tablename__ = "loose_photo"

    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[datetime] = mapped_column(Utc, default=now, index=True)
