from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, String
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Identity, Secret, Utc, now
from gateway.store.vault import Vault


def _digest_of_phone(context: DefaultExecutionContext) -> str:
    vault: Vault = context.dialect.leafline_vault  # type: ignore[attr-defined]
    values = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return vault.number(values["phone"])


class MediaMessage(Base):
    """A message whose photos lie at a vendor's address and are still to be fetched."""

    __tablename__ = "media_message"
    __table_args__ = (Index("ix_media_message_waiting", "done_at", "not_before"),)

    id: Mapped[Identity]
    key: Mapped[str] = mapped_column(String(120), unique=True)
    """`<vendor>:<the vendor's id>`."""
    phone: Mapped[Secret]
    address_digest: Mapped[Digest | None] = mapped_column(default=_digest_of_phone)
    """Of the number; empty where an older row's number did not open with the key."""
    addresses: Mapped[Secret]
    """One URL a line."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    outcome: Mapped[str | None] = mapped_column(String(40))
    """`taken`, or the code of what went wrong last."""
    received_at: Mapped[datetime] = mapped_column(Utc, default=now, index=True)
    not_before: Mapped[datetime] = mapped_column(Utc, default=now)
    done_at: Mapped[datetime | None] = mapped_column(Utc)
