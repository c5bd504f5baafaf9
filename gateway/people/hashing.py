"""How PINs and passwords are kept: argon2id, at the cost that RFC 9106 gives for little memory.

What was kept by scrypt before is still read; it is kept anew when its owner next types it.
"""

from __future__ import annotations

import functools
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from werkzeug.security import check_password_hash

HASHER = PasswordHasher()
AT_ONCE = threading.BoundedSemaphore(2)
"""Hashes that one process works out at a time, each in 64 MiB: guessing takes no more memory."""


def kept(secret: str) -> str:
    """A secret as it goes into the store."""
    with AT_ONCE:
        return HASHER.hash(secret)


def right(as_kept: str | None, typed: str) -> bool:
    """Whether this is the secret. Where there is none (None) it takes as long to say no."""
    with AT_ONCE:
        if as_kept is not None and not as_kept.startswith("$argon2"):
            return check_password_hash(as_kept, typed)
        try:
            HASHER.verify(as_kept or _of_nobody(), typed)
        except (VerificationError, InvalidHashError):
            return False
        return as_kept is not None


def stale(as_kept: str) -> bool:
    """Whether it was kept in a cheaper way than new ones are."""
    return not as_kept.startswith("$argon2") or HASHER.check_needs_rehash(as_kept)


@functools.cache
def _of_nobody() -> str:
    return HASHER.hash(secrets.token_hex())
