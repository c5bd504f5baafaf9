"""Proof that a caller holds the phone: five digits, sent by SMS to its number and typed back.

Nothing is kept: the digits follow from the number, the hour and the key that also finds numbers.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from gateway.store.base import now
from gateway.store.vault import Vault

DIGITS = 5
VALID_FOR = 3600
"""Seconds that one code is made for; it is taken in the next such time too, so that it holds for
an hour at least, and SMS that come late do."""


def code(vault: Vault, phone: str, moment: datetime | None = None) -> str:
    """The code of this number (E.164) now."""
    return _of(vault, phone, _turn(moment))


def right(vault: Vault, phone: str, typed: str, moment: datetime | None = None) -> bool:
    turn = _turn(moment)
    valid = [_of(vault, phone, one).encode() for one in (turn, turn - 1)]
    return any(hmac.compare_digest(one, typed.encode("utf-8", "replace")) for one in valid)


def _turn(moment: datetime | None) -> int:
    return int((moment or now()).timestamp()) // VALID_FOR


def _of(vault: Vault, phone: str, turn: int) -> str:
    digest = vault.digest(f"erasure code {phone} {turn}")
    return str(int(digest[:16], 16) % 10**DIGITS).zfill(DIGITS)
