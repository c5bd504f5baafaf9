from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Identity, Utc, now


class SignIn(Base):
    """A browser in which an operator or officer is signed in; the row goes when that ends."""

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_person", "role", "person_id"),)

    id: Mapped[Identity]
    role: Mapped[str] = mapped_column(String(8))
    """`operator` or `officer`."""
    person_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    token_digest: Mapped[Digest] = mapped_column(unique=True)
    """Of what the browser's cookie carries."""
    stamp: Mapped[str] = mapped_column(String(12))
    """Of the secrets that were given; others end it."""
    browser: Mapped[str] = mapped_column(String(40), default="")
    """As its owner would call it: `Firefox, Android`."""
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
    seen_at: Mapped[datetime] = mapped_column(Utc, default=now)
    ends_at: Mapped[datetime] = mapped_column(Utc, index=True)
