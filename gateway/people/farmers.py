"""Farmers: found by number, with their language and their opt-out."""

from __future__ import annotations

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from gateway.store.base import now
from gateway.store.database import insert_once, vault_of
from gateway.store.models import Case, Event, Farmer

NOBODY, NOBODY_WHO_TRAINS = "nobody", "nobody-who-trains"
"""Ids of the two farmers without a number, to whom cases go when their person is forgotten."""
NO_PERSON = frozenset({NOBODY, NOBODY_WHO_TRAINS})


def find(session: Session, phone: str) -> Farmer | None:
    """The farmer with this number (E.164), or None."""
    return session.scalar(_by_number(session, phone))


def find_or_create(session: Session, phone: str, *, lock: bool = False) -> Farmer:
    """The farmer with this number (E.164), made on first contact.

    Args:
        lock: hold the row until the transaction ends, so that two uploads for one farmer are
            judged one after the other.
    """
    values = {"phone": phone, "phone_digest": vault_of(session).number(phone)}
    query = _by_number(session, phone)
    if lock:
        # Key share: what refers to her meanwhile (a message of another case) need not wait.
        query = query.with_for_update(key_share=True)
    while True:
        # Looked for first: she may be there under the digest of an older key.
        if (farmer := session.scalar(query)) is not None:
            return farmer
        insert_once(session, Farmer, values, "phone_digest")


def _by_number(session: Session, phone: str) -> Select[Farmer]:
    known = Farmer.phone_digest.in_(vault_of(session).numbers(phone))
    # Two processes that write with different keys can make her twice; the first one counts.
    return select(Farmer).where(known).order_by(Farmer.created_at, Farmer.id).limit(1)


def nobody(session: Session, *, training: bool = False) -> Farmer:
    """The farmer without a number that forgotten cases belong to; one more for those whose photos
    may still train the model."""
    key = NOBODY_WHO_TRAINS if training else NOBODY
    agreed = now() if training else None
    values = {"id": key, "phone": "", "phone_digest": key, "training_consent_at": agreed}
    insert_once(session, Farmer, values, "id")
    return session.get_one(Farmer, key)


def set_language(session: Session, farmer: Farmer, language: str, *, by: str) -> None:
    """Of what she is told from now on, also of cases that came in the language she had."""
    if farmer.language != language:
        hers = update(Case).where(Case.farmer_id == farmer.id)
        if farmer.language is not None:
            hers = hers.where(Case.language == farmer.language)
        session.execute(hers.values(language=language, updated_at=Case.updated_at))
        farmer.language = language
        _record(session, farmer, "language", by, data={"language": language})


def opt_out(session: Session, farmer: Farmer, *, by: str) -> None:
    """No more messages, except the answer to a request the farmer makes."""
    if farmer.opted_out_at is None:
        farmer.opted_out_at = now()
        _record(session, farmer, "opt_out", by)


def opt_in(session: Session, farmer: Farmer, *, by: str) -> None:
    if farmer.opted_out_at is not None:
        farmer.opted_out_at = None
        _record(session, farmer, "opt_in", by)


def _record(
    session: Session, farmer: Farmer, kind: str, by: str, data: dict[str, str | None] | None = None
) -> None:
    session.add(Event(kind=kind, farmer_id=farmer.id, actor=by, data=data))
