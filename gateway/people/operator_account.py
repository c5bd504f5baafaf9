"""An operator's own credentials: another password, another authenticator, a lost phone.

Who is signed in proves the password once more, for a browser may have been left open. A new
authenticator takes the place of the old one only when it has shown that it works.
"""

from __future__ import annotations

import pyotp
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from gateway.people import lockout, operators
from gateway.people.operators import Enrolment, WrongSecrets
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Event, Operator


def prove(store: Store, operator: Operator, password: str) -> None:
    """Whether whoever sits there knows the password.

    Raises:
        WrongSecrets: not so.
        lockout.Locked: too many wrong tries; nothing was judged.
    """
    door = _door(operator)
    lockout.count_try(store, door)
    if not check_password_hash(operator.password_hash, password[: operators.PASSWORD_MOST]):
        raise WrongSecrets
    lockout.open_again(store, door)


def change_password(store: Store, operator: Operator, old: str, new: str) -> Operator:
    """Raises: WrongSecrets, lockout.Locked, or PeopleError: the new one has no fitting length."""
    prove(store, operator, old)
    hashed = operators.hash_of(new)
    with store.transaction() as session:
        row = session.get_one(Operator, operator.id, with_for_update=True)
        row.password_hash = hashed
        session.add(Event(kind="operator_new_password", actor=operators.actor(row)))
    return row


def new_secret() -> str:
    """A TOTP secret, in base32, that nobody has yet."""
    return pyotp.random_base32()


def change_authenticator(
    store: Store, operator: Operator, secret: str, code: str
) -> tuple[Operator, tuple[str, ...]]:
    """Replace the authenticator by the one that shows `code` for `secret`.

    Returns:
        The operator and new recovery codes, shown once; the old ones end with the old secret.

    Raises:
        WrongSecrets: it is not the code of the new secret; the old one stays.
        lockout.Locked: too many wrong tries.
    """
    door = _door(operator)
    lockout.count_try(store, door)
    step = operators.matching_step(secret, "".join(code.split()), now(), spent=0)
    if step is None:
        raise WrongSecrets
    with store.transaction() as session:
        row = session.get_one(Operator, operator.id, with_for_update=True)
        row.totp_secret, row.totp_step = secret, step
        codes = operators.new_recovery_codes(session, row)
        session.add(Event(kind="operator_authenticator", actor=operators.actor(row)))
    lockout.open_again(store, door)
    return row, codes


def reset(session: Session, name: str, *, issuer: str, password: str | None = None) -> Enrolment:
    """For a lost phone, at the server: another secret and other recovery codes.

    Args:
        password: another one too, where it was forgotten.

    Raises: PeopleError.
    """
    operator = operators.find(session, name)
    secret = new_secret()
    if password is not None:
        operator.password_hash = operators.hash_of(password)
    operator.totp_secret, operator.totp_step = secret, 0
    codes = operators.new_recovery_codes(session, operator)
    data = {"operator": operator.id, "password": password is not None}
    session.add(Event(kind="operator_reset", actor="operator", data=data))
    return Enrolment(operator, operators.uri_of(secret, operator.name, issuer), secret, codes)


def _door(operator: Operator) -> str:
    """Another than that of signing in: a browser left open must not lock its owner out."""
    return f"operator account {operator.id}"
