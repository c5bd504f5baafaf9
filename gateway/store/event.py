from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Identity, Utc, now


class Event(Base):
    """One line of the append-only history: when, from, to, who, why. Never updated."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_kind_at", "kind", "at"),
        Index("ix_event_actor_at", "actor", "at"),
    )

    id: Mapped[Identity]
    at: Mapped[datetime] = mapped_column(Utc, default=now)
    kind: Mapped[str] = mapped_column(String(24))
    """`case`, `consent`, `opt_out`, `opt_in`, `erased`, `ussd_session`, ..."""
    case_id: Mapped[int | None] = mapped_column(
        ForeignKey("case_.id", ondelete="CASCADE"), index=True
    )
    farmer_id: Mapped[str | None] = mapped_column(
        ForeignKey("farmer.id", ondelete="CASCADE"), index=True
    )
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str | None] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(80))
    data: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Facts without personal data."""
