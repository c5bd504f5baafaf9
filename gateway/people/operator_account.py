"""An operator's own credentials: another password, another authenticator, a lost phone.

Who is signed in proves the password once more, for a browser may have been left open. A new
authenticator takes the place of the old one only when it has shown that it works.
"""

from __future__ import annotations

import pyotp
from sqlalchemy.orm import Session

from gateway.people import guessing, hashing, lockout, operators, sign_ins
from gateway.people.lockout import Place
from gateway.people.operators import Enrolment, WrongSecrets
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Event, Operator

ACCOUNT = Place("their account page", known=True)
"""A place of its own: whoever guesses at a browser left open keeps nobody from signing in."""


def prove(store: Store, operator: Operator, password: str) -> None:
    """Whether whoever sits there knows the password.

    Raises:
        WrongSecrets: not so.
        lockout.Locked: too many wrong tries; nothing was judged.
    """
    who = operators.who(operator.name)
    lockout.count_try(store, who, ACCOUNT)
    if not hashing.right(operator.password_hash, password[: operators.PASSWORD_MOST]):
        guessing.noticed(store, operator, who)
        raise WrongSecrets
    lockout.open_again(store, who, ACCOUNT)


def change_password(store: Store, operator: Operator, old: str, new: str) -> Operator:
    """Raises: WrongSecrets, lockout.Locked, or PeopleError: the new one has no fitting length."""
    prove(store, operator, old)
    hashed = operators.hash_of(new)
    with store.transaction() as session:
        row = session.get_one(Operator, operator.id, with_for_update=True)
        row.password_hash = hashed
        sign_ins.end_all(session, row)
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
    who = operators.who(operator.name)
    lockout.count_try(store, who, ACCOUNT)
    step = operators.matching_step(secret, "".join(code.split()), now(), spent=0)
    if step is None:
        raise WrongSecrets
    with store.transaction() as session:
        row = session.get_one(Operator, operator.id, with_for_update=True)
        row.totp_secret, row.totp_step = secret, step
        sign_ins.end_all(session, row)
        codes = operators.new_recovery_codes(session, row)
        session.add(Event(kind="operator_authenticator", actor=operators.actor(row)))
    lockout.open_again(store, who, ACCOUNT)
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
    sign_ins.end_all(session, operator)
    codes = operators.new_recovery_codes(session, operator)
    data = {"operator": operator.id, "password": password is not None}
    session.add(Event(kind="operator_reset", actor="operator", data=data))
    return Enrolment(operator, operators.uri_of(secret, operator.name, issuer), secret, codes)
