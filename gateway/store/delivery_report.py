from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Identity, Utc, now


class DeliveryReport(Base):
    """What the network said of a message after taking it. Kept as told, also when nothing fits."""

    __tablename__ = "delivery_report"
    __table_args__ = (
        UniqueConstraint("provider_id", "status", "reason"),
        Index("ix_delivery_report_unmatched", "message_id", "address_digest"),
        Index("ix_delivery_report_address", "address_digest"),
    )

    id: Mapped[Identity]
    provider: Mapped[str] = mapped_column(String(24), server_default="africastalking")
    provider_id: Mapped[str] = mapped_column(String(80))
    """See gateway.outbox.network.scoped."""
    status: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(40), default="")
    fate: Mapped[str] = mapped_column(String(12), default="")
    """`delivered`, `failed`, `absent` (failed, unless it is delivered later), or empty: on its way,
    or a status that we do not know and do not guess."""
    address_digest: Mapped[Digest | None]
    network_code: Mapped[str] = mapped_column(String(8), default="")
    received_at: Mapped[datetime] = mapped_column(Utc, default=now, index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"))
    """Empty until a message with this `provider_id` is known."""
