"""Codes of other people's cases that one number types: a few a day, at every door together.

A code opens its case on any phone, because phones are lent; so nobody may try them one by one.
Counted in the store under the number's digest: neither a new session nor an erasure begins anew.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gateway.outbox import money
from gateway.store.base import now
from gateway.store.database import vault_of

A_DAY = 10


def another(session: Session, phone: str, zone: ZoneInfo) -> bool:
    """Count one; False when this number has had those of today."""
    day = now().astimezone(zone).date()
    return money.count(session, f"guess:{vault_of(session).digest(phone)}", day) <= A_DAY
