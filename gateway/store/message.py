from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, Integer, Numeric, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Identity, Sealed, Secret, Utc, now


class Message(Base):
    """One SMS, in or out. The unique `key` makes whatever caused it cause it once."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_due", "state", "priority", "id"),
        Index("ix_message_provider", "provider_id"),
        Index("ix_message_address", "address_digest", "created_at"),
        Index("ix_message_final", "state", "final_at"),
        Index("ix_message_cost", "sent_at", "currency", "cost"),
        Index(
            "ix_message_person",
            "created_at",
            sqlite_where=text("address_digest <> ''"),
            postgresql_where=text("address_digest <> ''"),
        ),
    )

    id: Mapped[Identity]
    key: Mapped[str] = mapped_column(String(120), unique=True)
    direction: Mapped[str] = mapped_column(String(3))
    """`in` or `out`."""
    address: Mapped[Secret]
    """The other side's number, E.164."""
    address_digest: Mapped[Digest]
    farmer_id: Mapped[str | None] = mapped_column(
        ForeignKey("farmer.id", ondelete="CASCADE"), index=True
    )
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    case_id: Mapped[int | None] = mapped_column(
        ForeignKey("case_.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(16), default="")
    """out: see gateway.outbox.kinds; in: `sms`."""
    template: Mapped[str | None] = mapped_column(String(40))
    language: Mapped[str | None] = mapped_column(String(2))
    text: Mapped[str | None] = mapped_column(Sealed)
    parts: Mapped[int] = mapped_column(Integer, default=1)
    priority: Mapped[int] = mapped_column(Integer, default=5)
    """Smaller goes first; see gateway.outbox.kinds."""
    state: Mapped[str] = mapped_column(String(12))
    """See gateway.store.states."""
    outcome: Mapped[str | None] = mapped_column(String(40))
    provider: Mapped[str] = mapped_column(String(24), server_default="africastalking")
    """out: which it was handed to, or last tried with; it says nothing of one that was not tried
    yet. in: which it came by."""
    provider_id: Mapped[str | None] = mapped_column(String(80))
    """See gateway.outbox.network.scoped."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    """Those that count: the network was reached and this message was not taken."""
    resent_at: Mapped[datetime | None] = mapped_column(Utc)
    """When it was queued again after its fate stayed unknown or delivery failed; at most once."""
    not_before: Mapped[datetime] = mapped_column(Utc, default=now)
    lease_until: Mapped[datetime | None] = mapped_column(Utc)
    cost: Mapped[Decimal | None] = mapped_column(Numeric(12, 4))
    currency: Mapped[str | None] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(Utc, default=now)
    sent_at: Mapped[datetime | None] = mapped_column(Utc)
    final_at: Mapped[datetime | None] = mapped_column(Utc)
