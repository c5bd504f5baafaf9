from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.store.base import Base, Identity, SealedFacts, SealedWords, Utc, now
from gateway.store.farmer import Farmer


class Case(Base):
    """One sick plant of one farmer, from the first photo to the answer."""

    __tablename__ = "case_"
    __table_args__ = (
        Index("ix_case_state_updated", "state", "updated_at"),
        Index("ix_case_farmer_created", "farmer_id", "created_at"),
        Index("ix_case_kiosk_created", "kiosk_id", "created_at"),
        Index("ix_case_area_created", "area", "created_at"),
        # Everything that counting by disease, place and week reads.
        Index("ix_case_figures", "created_at", "verdict", "label", "area"),
        Index(
            "ix_case_person",
            "updated_at",
            sqlite_where=text("forgotten_at IS NULL"),
            postgresql_where=text("forgotten_at IS NULL"),
        ),
    )

    id: Mapped[Identity]
    code: Mapped[str] = mapped_column(String(7), unique=True)
    farmer_id: Mapped[str] = mapped_column(ForeignKey("farmer.id", ondelete="CASCADE"))
    kiosk_id: Mapped[int | None] = mapped_column(ForeignKey("kiosk.id"))
    source: Mapped[str] = mapped_column(String(8))
    """The way it came: `kiosk`, `mms`, `ussd` or `sms`."""
    crop: Mapped[str | None] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(2))
    place: Mapped[str | None] = mapped_column(SealedWords)
    area: Mapped[str | None] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(16))
    """See gateway.store.states."""
    label: Mapped[str | None] = mapped_column(String(24))
    verdict: Mapped[str | None] = mapped_column(String(16))
    confidence: Mapped[float | None] = mapped_column(Float)
    """Label, verdict and calibrated confidence (0 to 1) of all photos together."""
    answers: Mapped[dict[str, Any] | None] = mapped_column(SealedFacts)
    """What the farmer told: `stage`, `plants`, `sprayed`, `reason`, `ask_later`, `better`."""
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=now, onupdate=now)
    forgotten_at: Mapped[datetime | None] = mapped_column(Utc)
    """When the person was taken out of it."""

    farmer: Mapped[Farmer] = relationship(lazy="joined")

    @property
    def spoken(self) -> str:
        """The language of whoever it is about; it follows the farmer's where that is hers."""
        return self.language
