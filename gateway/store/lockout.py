from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base, Digest, Utc, now


class Lockout(Base):
    """Wrong secrets tried for one door (a number, a link); see gateway.people.lockout."""

    __tablename__ = "lockout"

    door: Mapped[Digest] = mapped_column(primary_key=True)
    wrong: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(Utc)
    tried_at: Mapped[datetime] = mapped_column(Utc, default=now, index=True)
