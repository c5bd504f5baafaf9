from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Identity, Utc, now


class Incident(Base):
    """Something that a person must see to. It closes by itself when its cause is gone."""

    __tablename__ = "incident"
    __table_args__ = (
        # At most one open incident a cause, whoever raises it twice.
        Index(
            "uq_incident_open_cause",
            "cause",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[Identity]
    cause: Mapped[str] = mapped_column(String(60))
    """`channel:no_credit`, `sweep:waiting_photos`, ..."""
    detail: Mapped[str] = mapped_column(String(200), default="")
    count: Mapped[int] = mapped_column(Integer, default=1)
    opened_at: Mapped[datetime] = mapped_column(Utc, default=now)
    seen_at: Mapped[datetime] = mapped_column(Utc, default=now)
    told_at: Mapped[datetime | None] = mapped_column(Utc)
    """When the operator was last told."""
    closed_at: Mapped[datetime | None] = mapped_column(Utc)
