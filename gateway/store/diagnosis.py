from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Identity, Utc, now


class Diagnosis(Base):
    """What the machine said of one photo; at most one a photo."""

    __tablename__ = "diagnosis"
    __table_args__ = (Index("ix_diagnosis_figures", "created_at", "verdict", "confidence"),)

    id: Mapped[Identity]
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_.id", ondelete="CASCADE"), index=True)
    label: Mapped[str | None] = mapped_column(String(24))
    confidence: Mapped[float | None] = mapped_column(Float)
    verdict: Mapped[str] = mapped_column(String(16))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The whole verdict, with the labels and the version of its model: `Verdict.to_detail`."""
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
