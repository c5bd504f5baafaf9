from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.store.base import Base, Identity, Utc, now
from gateway.store.operator import Operator


class Broadcast(Base):
    """One text to the farmers of an area. Two operators stand behind it."""

    __tablename__ = "broadcast"

    id: Mapped[Identity]
    area: Mapped[str] = mapped_column(String(80))
    texts: Mapped[dict[str, str]] = mapped_column(JSON)
    """By language; English is always there. Folded to GSM 03.38, at most 160 septets each."""
    state: Mapped[str] = mapped_column(String(12), default="draft", index=True)
    """`draft`, `approved`, `posted` or `cancelled`."""
    farmers: Mapped[int] = mapped_column(Integer)
    """How many it was for when it was drafted."""
    posted: Mapped[int] = mapped_column(Integer, default=0)
    """How many messages it has put into the outbox."""
    reached: Mapped[str] = mapped_column(String(32), default="")
    """Id of the last farmer that was seen; farmers are taken in the order of their ids."""
    drafted_by: Mapped[int] = mapped_column(ForeignKey("operator.id"))
    drafted_at: Mapped[datetime] = mapped_column(Utc, default=now)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    """Who approved or cancelled it."""
    decided_at: Mapped[datetime | None] = mapped_column(Utc)

    drafter: Mapped[Operator] = relationship(foreign_keys=[drafted_by])
    decider: Mapped[Operator | None] = relationship(foreign_keys=[decided_by])
