from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Identity, Utc, now


class Repair(Base):
    """What one round of a sweep put right. Each is a sign that something went wrong before."""

    __tablename__ = "repair"
    __table_args__ = (Index("ix_repair_sweep_at", "sweep", "at"),)

    id: Mapped[Identity]
    sweep: Mapped[str] = mapped_column(String(40))
    count: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(Utc, default=now)
