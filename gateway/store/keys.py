"""Which keys sealed what is in a store: a process that lacks one must not judge what it reads."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import LargeBinary, func, select, type_coerce
from sqlalchemy.orm import Session

from gateway.store.database import Store, StoreError, insert_once, lasting_key, vault_of
from gateway.store.models import Farmer, Message, Officer, Operator, SealKey
from gateway.store.vault import Key, SealBroken, Vault

SHOWN = 8
"""Hex digits of a key's name that a person reads."""

LACKS = (
    "the store is sealed with a key that this process lacks: give it the LEAFLINE_SECRET_KEY (or "
    "the file secret-key) of the other hosts, and older ones in LEAFLINE_OLD_SECRET_KEYS"
)


def enter(store: Store) -> None:
    """Make sure that this process can read all that is in the store, and tell others of its key.

    Call it at start, before anything is written.

    Raises: StoreError, one line that says what to do.
    """
    with store.transaction() as session:
        if reason := _trouble(session):
            raise StoreError(reason)
        vault = store.vault
        lasting = lasting_key(session, vault) or _first_key(session, vault).digest
        values = {
            "name": vault.writer.name,
            "lasting": vault.seal_lasting(vault.writer, lasting),
            "photos_done": 0,
        }
        insert_once(session, SealKey, values, "name")


def trouble(store: Store) -> str:
    """Why this process must not work on the store now, in one line; empty when it may.

    Its own key is entered again where it is missing: the store was away at the start, or somebody
    took the key out of use too early. Raises: StoreError, and what the store raises.
    """
    with store.reading() as session:
        if reason := _trouble(session):
            return reason
        known = session.get(SealKey, store.vault.writer.name)
    if known is None:
        enter(store)
    return ""


def _trouble(session: Session) -> str:
    if missing := _missing(session):
        shown = ", ".join(sorted(name[:SHOWN] for name in missing))
        return f"{LACKS} ({shown})"
    return ""


def lacking(session: Session) -> bool:
    """Whether what does not open may open elsewhere: a key is in use that is not on our ring."""
    return bool(_missing(session))


def _missing(session: Session) -> set[str]:
    ours = {key.name for key in vault_of(session).keys}
    return set(session.scalars(select(SealKey.name))) - ours


def _first_key(session: Session, vault: Vault) -> Key:
    """The key of a store that has not kept its keys' names so far. Raises: StoreError."""
    samples = [
        session.scalar(
            select(type_coerce(column, LargeBinary)).where(func.length(column) > 0).limit(1)
        )
        for column in (Farmer.phone, Officer.phone, Operator.totp_secret, Message.address)
    ]
    sealed = [bytes(sample) for sample in samples if sample]
    if not sealed:
        return vault.writer
    for key in vault.keys:
        for sample in sealed:
            with suppress(SealBroken):
                vault.open_text(sample, key)
                return key
    raise StoreError(
        "the key does not open what is in the store: restore the right LEAFLINE_SECRET_KEY or the "
        "file secret-key in the home"
    )
