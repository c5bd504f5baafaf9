"""Operators: they sign in with a password and a one-time code; an admin changes, a viewer looks.

One-time codes are TOTP (RFC 6238: SHA-1, 6 digits, 30 s), which every authenticator knows. A code
is taken once, as the RFC asks. Recovery codes stand in for a lost authenticator, each once.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.people import PeopleError, guessing, hashing, lockout, sign_ins
from gateway.people.lockout import SOMEWHERE, Place
from gateway.store import Store
from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Event, Operator

ADMIN, VIEWER = "admin", "viewer"
ROLES = (ADMIN, VIEWER)
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
PASSWORD_LEAST, PASSWORD_MOST = 10, 200
"""NIST SP 800-63B-4 asks for 8 characters where a second factor follows, and for no other rule."""
STEP_SECONDS = 30
STEPS_AROUND = 1
"""Codes of the step before and after are taken too: clocks differ and typing takes time."""
RECOVERY_CODES = 8
RECOVERY_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
RECOVERY_LENGTH = 10
"""49 bits of one code in eight, behind a password and a lockout."""


class WrongSecrets(Exception):
    """Name, password and code do not fit together; which of them is not said."""


@dataclass(frozen=True)
class Enrolment:
    """A new operator's secrets; they are shown once."""

    operator: Operator
    uri: str
    """`otpauth://`, for the QR code."""
    secret: str
    """Base32, for typing."""
    recovery: tuple[str, ...]


def add(session: Session, name: str, role: str, password: str, *, issuer: str) -> Enrolment:
    """Make an operator. `issuer` is what the authenticator shows beside the name.

    Raises: PeopleError when the name is taken or anything does not fit.
    """
    name = name_of(name)
    if role not in ROLES:
        raise PeopleError("operator_role", f"a role is one of {', '.join(ROLES)}")
    password_hash = hash_of(password)
    if _by_name(session, name):
        raise PeopleError("operator_taken", f"an operator named {name!r} exists already", name=name)
    secret = pyotp.random_base32()
    operator = Operator(name=name, role=role, password_hash=password_hash, totp_secret=secret)
    codes = new_recovery_codes(session, operator)
    session.add(operator)
    session.flush()
    data = {"operator": operator.id, "role": role}
    session.add(Event(kind="operator_added", actor="operator", data=data))
    return Enrolment(operator, uri_of(secret, name, issuer), secret, codes)


def name_of(typed: str) -> str:
    """A name as it is kept. Raises: PeopleError when it is none."""
    name = typed.strip().lower()
    if not NAME.fullmatch(name):
        raise PeopleError(
            "operator_name", "an operator's name is 2 to 40 letters, digits, dots or dashes"
        )
    return name


def hash_of(password: str) -> str:
    """A password as it is kept. Raises: PeopleError when it is too short or too long."""
    least, most = PASSWORD_LEAST, PASSWORD_MOST
    if not least <= len(password) <= most:
        text = f"a password has {least} to {most} characters"
        raise PeopleError("password_length", text, least=least, most=most)
    return hashing.kept(password)


def written(code: str) -> str:
    """A recovery code in two groups, as people read it."""
    return f"{code[: RECOVERY_LENGTH // 2]}-{code[RECOVERY_LENGTH // 2 :]}"


def uri_of(secret: str, name: str, issuer: str) -> str:
    """`otpauth://`, as authenticators read it from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def new_recovery_codes(session: Session, operator: Operator) -> tuple[str, ...]:
    """Codes in the place of those there were; they are shown once."""
    codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
    operator.recovery = [_recovery_digest(session, operator.name, code) for code in codes]
    return codes


def who(name: str) -> str:
    """Of whom wrong tries are counted; `name` as it is kept or typed."""
    return f"operator {name.strip().lower()[:40]}"


def sign_in(
    store: Store, name: str, password: str, code: str, place: Place = SOMEWHERE
) -> Operator:
    """The operator whose password and code these are; the code is spent.

    Raises:
        WrongSecrets: they are not.
        lockout.Locked: too many wrong tries; nothing was judged.
    """
    lockout.count_try(store, who(name), place)
    with store.reading() as session:
        known = _by_name(session, name.strip().lower()[:40])
    # Outside of a transaction: hashing takes a while, and on SQLite would keep all writers out.
    password = password[:PASSWORD_MOST]
    right = hashing.right(known.password_hash if known else None, password)
    if known is None or not right or known.disabled_at is not None:
        if known is not None and known.disabled_at is None:
            guessing.noticed(store, known, who(name))
        raise WrongSecrets
    anew = hashing.kept(password) if hashing.stale(known.password_hash) else None
    with store.transaction() as session:
        operator = session.get_one(Operator, known.id, with_for_update=True)
        spent = spend(session, operator, code, now())
        if spent:
            if anew is not None and operator.password_hash == known.password_hash:
                before = sign_ins.stamp(operator)
                operator.password_hash = anew
                sign_ins.keep(session, operator, before)
            session.add(Event(kind="signed_in", actor=actor(operator)))
    if not spent:
        guessing.noticed(store, known, who(name))
        raise WrongSecrets
    lockout.open_again(store, who(name), place)
    return operator


def disable(session: Session, name: str) -> Operator:
    """Out at once, also where signed in. Raises: PeopleError when there is no such operator."""
    operator = find(session, name)
    operator.disabled_at = operator.disabled_at or now()
    sign_ins.end_all(session, operator)
    data = {"operator": operator.id}
    session.add(Event(kind="operator_disabled", actor="operator", data=data))
    return operator


def find(session: Session, name: str) -> Operator:
    """Raises: PeopleError when there is no such operator."""
    operator = _by_name(session, name.strip().lower())
    if operator is None:
        text = f"there is no operator {name!r}; see `leafline operator list`"
        raise PeopleError("operator_unknown", text, name=name)
    return operator


def listed(session: Session) -> list[Operator]:
    return list(session.scalars(select(Operator).order_by(Operator.id)))


def actor(operator: Operator) -> str:
    """The operator's name in the history."""
    return f"operator:{operator.id}"


def matching_step(secret: str, code: str, at: datetime, spent: int) -> int | None:
    """The time step whose code this is: at most a step from `at` and after `spent`, or None."""
    if not code.isascii():  # digits of other scripts, which cannot be compared
        return None
    totp = pyotp.TOTP(secret, interval=STEP_SECONDS)
    current = int(at.timestamp()) // STEP_SECONDS
    for step in range(current - STEPS_AROUND, current + STEPS_AROUND + 1):
        if step > spent and secrets.compare_digest(totp.at(step * STEP_SECONDS), code):
            return step
    return None


def spend(session: Session, operator: Operator, typed: str, at: datetime) -> bool:
    """Whether this is a code of the operator, one-time or recovery; it is used up by it."""
    code = re.sub(r"[\s-]", "", typed.lower())
    if code.isascii() and code.isdigit() and len(code) == 6:
        step = matching_step(operator.totp_secret, code, at, operator.totp_step)
        if step is None:
            return False
        operator.totp_step = step
        return True
    digest = _recovery_digest(session, operator.name, code)
    if digest not in operator.recovery:
        return False
    operator.recovery = [left for left in operator.recovery if left != digest]
    data = {"left": len(operator.recovery)}
    session.add(Event(kind="recovery_code_used", actor=actor(operator), data=data))
    return True


def _by_name(session: Session, name: str) -> Operator | None:
    return session.scalar(select(Operator).where(Operator.name == name))


def _recovery_code() -> str:
    return "".join(secrets.choice(RECOVERY_LETTERS) for _ in range(RECOVERY_LENGTH))


def _recovery_digest(session: Session, name: str, code: str) -> str:
    return vault_of(session).digest(f"operator recovery {name} {code}")
