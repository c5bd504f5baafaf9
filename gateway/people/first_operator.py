"""The first operator of an empty store: a one-time code, told at the start, lets one person in.

Only a digest of the code and the time at which it ends are kept, in a file of the home. The code
has 128 bits, so that guessing needs no brake.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from gateway.people import operators
from gateway.people.operators import WrongSecrets
from gateway.settings import write_secret
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Event, Operator

FILE = "first-operator"
LIFETIME = timedelta(days=1)
CODE_BYTES = 16


class LinkEnded(Exception):
    """The code is wrong, was used, is too old, or there is an operator already."""


def offer(store: Store, home: Path) -> str | None:
    """A new code, in the place of the one before; None where there is an operator."""
    if _anybody(store):
        _forget(home)
        return None
    code = secrets.token_urlsafe(CODE_BYTES)
    ends = now() + LIFETIME
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(home / FILE, f"{_digest(code)} {ends.timestamp():.0f}\n")
    return code


def check(store: Store, home: Path, code: str) -> None:
    """Raises: LinkEnded."""
    try:
        digest, ends = (home / FILE).read_text(encoding="ascii").split()
        over = datetime.fromtimestamp(int(ends), now().tzinfo) <= now()
    except (OSError, ValueError):
        raise LinkEnded from None
    right = secrets.compare_digest(digest, _digest(code))
    if not right or over or _anybody(store):
        raise LinkEnded


def make(
    store: Store, home: Path, code: str, *, name: str, password_hash: str, secret: str, typed: str
) -> tuple[Operator, tuple[str, ...]]:
    """Make the first operator, an admin, and use the code up.

    Args:
        secret: of the authenticator; `typed` is the code that it shows.

    Returns: the operator and recovery codes, shown once.

    Raises:
        LinkEnded: nobody is let in by this code.
        WrongSecrets: the authenticator shows something else; the code stays good.
    """
    check(store, home, code)
    step = operators.matching_step(secret, "".join(typed.split()), now(), spent=0)
    if step is None:
        raise WrongSecrets
    with store.transaction() as session:
        operator = Operator(
            name=name,
            role=operators.ADMIN,
            password_hash=password_hash,
            totp_secret=secret,
            totp_step=step,
        )
        codes = operators.new_recovery_codes(session, operator)
        session.add(operator)
        session.flush()
        data = {"operator": operator.id, "role": operator.role}
        session.add(Event(kind="operator_added", actor=operators.actor(operator), data=data))
        # Of two who do this at once, one takes the file away; the other's operator is never made.
        try:
            (home / FILE).unlink()
        except OSError:
            raise LinkEnded from None
    return operator, codes


def _anybody(store: Store) -> bool:
    with store.reading() as session:
        return session.scalar(select(Operator.id).limit(1)) is not None


def _forget(home: Path) -> None:
    with suppress(OSError):
        (home / FILE).unlink()


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
