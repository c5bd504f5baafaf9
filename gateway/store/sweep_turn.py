from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Utc


class SweepTurn(Base):
    """When a sweep is next to run, whichever scheduler does it."""

    __tablename__ = "sweep_turn"

    sweep: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(Utc)
    looked_at: Mapped[datetime | None] = mapped_column(Utc)
    """When it last looked at everything, where it mostly looks at what moved lately."""
