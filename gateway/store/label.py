from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Identity, Sealed, Utc, now


class Label(Base):
    """What an officer says one photo shows: an example to learn from. One a photo and officer."""

    __tablename__ = "label"
    __table_args__ = (
        UniqueConstraint("photo_id", "officer_id"),
        Index("ix_label_updated", "updated_at"),
    )

    id: Mapped[Identity]
    case_id: Mapped[int] = mapped_column(ForeignKey("case_.id", ondelete="CASCADE"), index=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"))
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    label: Mapped[str] = mapped_column(String(24))
    """One of the five, or `none`."""
    words: Mapped[str | None] = mapped_column(Sealed)
    """What it is when it is none of the five, as the officer wrote it."""
    agreed: Mapped[bool] = mapped_column(Boolean)
    """The machine had said the same."""
    machine_label: Mapped[str | None] = mapped_column(String(24))
    """What the machine said of the whole case then: one of the five, `none`, or nothing."""
    machine_confidence: Mapped[float | None] = mapped_column(Float)
    plot_digest: Mapped[Digest]
    """Keyed digest of farmer and plot, for splits that keep them together; outlives the farmer."""
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=now)
