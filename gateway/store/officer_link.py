from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.store.base import Base, Digest, Identity, Utc, now
from gateway.store.case import Case
from gateway.store.officer import Officer


class OfficerLink(Base):
    """A link in an officer's SMS: to one case, for one officer. Only its digest is kept."""

    __tablename__ = "officer_link"

    id: Mapped[Identity]
    token_digest: Mapped[Digest] = mapped_column(unique=True)
    officer_id: Mapped[int] = mapped_column(ForeignKey("officer.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("case_.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
    expires_at: Mapped[datetime] = mapped_column(Utc)
    used_at: Mapped[datetime | None] = mapped_column(Utc)
    """When somebody signed in with it; a link signs in once."""

    officer: Mapped[Officer] = relationship()
    case: Mapped[Case] = relationship()
