from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Identity, Utc, now


class SignInFailure(Base):
    """A refused sign-in, kept as long as it counts against a name or an address."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (Index("ix_sign_in_failure_subject_at", "subject_digest", "at"),)

    id: Mapped[Identity]
    subject_digest: Mapped[Digest]
    """Keyed digest of what was tried, or of where it came from."""
    at: Mapped[datetime] = mapped_column(Utc, default=now)
