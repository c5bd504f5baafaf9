from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.store.base import Base, Digest, Identity, Utc, now
from gateway.store.case import Case


class Photo(Base):
    """One accepted picture of a case. Its bytes lie in the photo store under `address`."""

    __tablename__ = "photo"
    __table_args__ = (
        UniqueConstraint("source", "client_id"),
        Index("ix_photo_upload", "upload_digest", "received_at"),
        Index("ix_photo_waiting", "diagnosed_at", "received_at"),
        Index("ix_photo_received", "received_at"),
        Index("ix_photo_address", "address"),
        Index(
            "ix_photo_following",
            "received_at",
            sqlite_where=text("following > 0"),
            postgresql_where=text("following > 0"),
        ),
    )

    id: Mapped[Identity]
    case_id: Mapped[int] = mapped_column(ForeignKey("case_.id", ondelete="CASCADE"), index=True)
    address: Mapped[Digest]
    upload_digest: Mapped[Digest]
    """Keyed digest of the bytes as they were sent, to know the same upload again."""
    source: Mapped[str] = mapped_column(String(40))
    """`kiosk:<id>` or `mms:<vendor>`: the space in which `client_id` is unique."""
    client_id: Mapped[str | None] = mapped_column(String(80))
    width: Mapped[int]
    height: Mapped[int]
    following: Mapped[int] = mapped_column(Integer, default=0)
    """Photos of the same go that are still to come, as the sender said; 0 once another came."""
    received_at: Mapped[datetime] = mapped_column(Utc, default=now)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    """How often a worker began it and failed, or died over it."""
    failed_at: Mapped[datetime | None] = mapped_column(Utc)
    """When that was last noticed."""
    diagnosed_at: Mapped[datetime | None] = mapped_column(Utc)
    gone_at: Mapped[datetime | None] = mapped_column(Utc)
    """When its bytes had been kept for long enough; it has no claim to them since."""

    case: Mapped[Case] = relationship()
