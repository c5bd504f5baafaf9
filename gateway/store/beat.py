from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Utc, now


class Beat(Base):
    """A process of ours that was alive lately; it takes its row away when it ends in order."""

    __tablename__ = "beat"

    process: Mapped[str] = mapped_column(String(120), primary_key=True)
    """`<host>/<name>`."""
    kind: Mapped[str] = mapped_column(String(16))
    """`web`, `worker`, `sender` or `scheduler`."""
    host: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(Utc, default=now)
