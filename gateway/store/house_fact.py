from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from gateway.store.base import Base


class HouseFact(Base):
    """What this store knows of itself, by name: whose photos lie beside it, which release may
    work on it, when it was backed up."""

    __tablename__ = "house_fact"

    name: Mapped[str] = mapped_column(String(24), primary_key=True)
    value: Mapped[str] = mapped_column(String(80))
