from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gateway.store.base import Base, Identity, Sealed, Utc, now
from gateway.store.case import Case
from gateway.store.officer import Officer


class Escalation(Base):
    """A case in a person's hands. `officer_id` is empty when the operator got it."""

    __tablename__ = "escalation"
    __table_args__ = (
        Index("ix_escalation_officer_open", "officer_id", "closed_at"),
        Index("ix_escalation_opened", "opened_at"),
        Index(
            "ix_escalation_open",
            "id",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        # At most one open escalation a case, whoever runs twice.
        Index(
            "uq_escalation_open_case",
            "case_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[Identity]
    case_id: Mapped[int] = mapped_column(ForeignKey("case_.id", ondelete="CASCADE"), index=True)
    officer_id: Mapped[int | None] = mapped_column(ForeignKey("officer.id"))
    reason: Mapped[str] = mapped_column(String(40))
    opened_at: Mapped[datetime] = mapped_column(Utc, default=now)
    accepted_at: Mapped[datetime | None] = mapped_column(Utc)
    reminded_at: Mapped[datetime | None] = mapped_column(Utc)
    promised: Mapped[str | None] = mapped_column(String(8))
    """What the farmer was told will happen: `call` or `visit`."""
    due_at: Mapped[datetime | None] = mapped_column(Utc)
    """By when it was to happen."""
    closed_at: Mapped[datetime | None] = mapped_column(Utc)
    outcome: Mapped[str | None] = mapped_column(String(16))
    """`answered`, `handed_over` or `withdrawn`."""
    answer: Mapped[str | None] = mapped_column(Sealed)
    label: Mapped[str | None] = mapped_column(String(24))
    """The officer's own label, when given."""

    case: Mapped[Case] = relationship()
    officer: Mapped[Officer | None] = relationship()
