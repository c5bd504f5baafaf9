from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Date, Integer, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base


class Spending(Base):
    """What was used up on one day, by whom; see gateway.outbox.money. Outlives an erasure by two
    days, without the number: a lasting digest stands for it."""

    __tablename__ = "spending"

    scope: Mapped[str] = mapped_column(String(200), primary_key=True)
    """`number:<digest>`, `kiosk:<id>`, `district:<name>`, `service`, `cost:<currency>`, ..."""
    day: Mapped[date] = mapped_column(Date, primary_key=True, index=True)
    parts: Mapped[int] = mapped_column(Integer, default=0)
    """SMS parts, or tries."""
    cost: Mapped[Decimal] = mapped_column(Numeric(14, 4), default=Decimal(0))
