from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, SealedWords, Secret, Utc, now


class Farmer(Base):
    """Somebody with a phone. The id is random, so that a case alone says nothing about a number."""

    __tablename__ = "farmer"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=lambda: uuid.uuid4().hex)
    phone: Mapped[Secret]
    phone_digest: Mapped[Digest] = mapped_column(unique=True)
    language: Mapped[str | None] = mapped_column(String(2))
    place: Mapped[str | None] = mapped_column(SealedWords)
    area: Mapped[str | None] = mapped_column(String(80), index=True)
    consent_at: Mapped[datetime | None] = mapped_column(Utc)
    consent_version: Mapped[str | None] = mapped_column(String(16))
    consent_by: Mapped[str | None] = mapped_column(String(40))
    """Who took it: `ussd:<session>`, or `kiosk:<id>` for consent given orally to an agent."""
    consent_path: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Where in a USSD session it was given: see gateway.dialogue.ussd.agreed."""
    training_consent_at: Mapped[datetime | None] = mapped_column(Utc)
    """A separate yes: photos may be kept to train the model."""
    opted_out_at: Mapped[datetime | None] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc, default=now, index=True)
