from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped, mapped_column, validates

from gateway.store.area_key import area_key
from gateway.store.base import Base, Digest, Identity, SealedWords, Secret, Utc, now


class Officer(Base):
    """An extension officer who answers what the machine cannot tell."""

    __tablename__ = "officer"

    id: Mapped[Identity]
    name: Mapped[str] = mapped_column(SealedWords)
    phone: Mapped[Secret]
    phone_digest: Mapped[Digest] = mapped_column(unique=True)
    area: Mapped[str] = mapped_column(String(80))
    area_key: Mapped[str | None] = mapped_column(String(160), index=True)
    """The area as routing compares it; empty in rows that an older program wrote."""
    languages: Mapped[str] = mapped_column(String(40))
    """Two-letter codes joined by commas; the first is the officer's own."""
    pin_hash: Mapped[str | None] = mapped_column(String(200))
    work_days: Mapped[str] = mapped_column(String(7), default="1234567")
    """ISO weekdays on which the officer works, 1 is Monday."""
    work_hours: Mapped[str] = mapped_column(String(11), default="00:00-24:00")
    """Local time of the service's region."""
    on_duty: Mapped[bool] = mapped_column(Boolean, default=True)
    away_until: Mapped[datetime | None] = mapped_column(Utc)
    """On leave: no new cases before then."""
    disabled_at: Mapped[datetime | None] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)

    @validates("area")
    def _keyed(self, _name: str, area: str) -> str:
        self.area_key = area_key(area)
        return area

    @property
    def language(self) -> str:
        return self.languages.split(",")[0]

    @property
    def at_work(self) -> bool:
        """On duty and not on leave."""
        return self.on_duty and (self.away_until is None or self.away_until <= now())
