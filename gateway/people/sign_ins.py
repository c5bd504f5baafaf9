"""Where operators and officers are signed in: a row for each browser, ended by deleting it.

The cookie carries a token and the store its digest, so that an old cookie opens nothing, and
nothing in the store signs anybody in.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from gateway.store import Store, away
from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Officer, Operator, SignIn

Role = Literal["officer", "operator"]
Person = Officer | Operator
SEEN_EVERY = timedelta(minutes=1)
"""That somebody is there is written down so often."""
SWEPT = 100
BROWSERS = ("Edg", "OPR", "SamsungBrowser", "Firefox", "Chrome", "Safari")
"""The first that stands in the User-Agent: most browsers name others too."""
CALLED = {"Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet"}
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "CrOS", "Linux")


@dataclass(frozen=True)
class Limits:
    longest: timedelta
    """From the sign-in on, whatever is done meanwhile."""
    idle: timedelta
    """Since anything was last asked for."""


@dataclass(frozen=True)
class Present:
    """Somebody who is signed in here."""

    person: Person
    row: SignIn


def begin(session: Session, person: Person, agent: str, limits: Limits, *, instead: str) -> str:
    """Sign somebody in and return the token for the browser's cookie.

    Args:
        agent: the browser's User-Agent.
        instead: a token that this browser had before; it ends.
    """
    moment, token = now(), secrets.token_urlsafe(24)
    end(session, instead)
    old = select(SignIn.id).where(SignIn.ends_at < moment).limit(SWEPT)
    session.execute(
        delete(SignIn)
        .where(SignIn.id.in_(old.with_for_update(skip_locked=True)))
        .execution_options(synchronize_session=False)
    )
    session.add(
        SignIn(
            role=role_of(person),
            person_id=person.id,
            token_digest=_digest(session, token),
            stamp=stamp(person),
            browser=called(agent),
            created_at=moment,
            seen_at=moment,
            ends_at=moment + limits.longest,
        )
    )
    return token


def present(store: Store, role: Role, token: str, limits: Limits) -> Present | None:
    """Who is signed in by this token: in service, by the secrets they have now, and not for too
    long or too long ago."""
    if not token:
        return None
    model: Any = Operator if role == "operator" else Officer
    with store.reading() as session:
        found = session.execute(
            select(SignIn, model)
            .join(model, model.id == SignIn.person_id)
            .where(SignIn.token_digest == _digest(session, token), SignIn.role == role)
        ).first()
    if found is None:
        return None
    row, person = found
    moment = now()
    if person.disabled_at is not None or row.stamp != stamp(person) or over(row, limits, moment):
        return None
    if moment - row.seen_at > SEEN_EVERY:
        _seen(store, row, moment)
    return Present(person, row)


def over(row: SignIn, limits: Limits, moment: datetime) -> bool:
    """A limit that was made shorter holds for those who are signed in already."""
    ends = min(row.ends_at, row.created_at + limits.longest, row.seen_at + limits.idle)
    return moment >= ends


def listed(session: Session, person: Person, limits: Limits) -> list[SignIn]:
    """Where this person is signed in now, the newest first."""
    query = select(SignIn).where(*_of(person)).order_by(SignIn.id.desc())
    mark, moment = stamp(person), now()
    return [
        row for row in session.scalars(query) if row.stamp == mark and not over(row, limits, moment)
    ]


def end(session: Session, token: str) -> None:
    """End the sign-in of this token; none is no error."""
    if token:
        session.execute(delete(SignIn).where(SignIn.token_digest == _digest(session, token)))


def end_one(session: Session, person: Person, sign_in_id: int) -> bool:
    """End one of this person's; False when it is nobody's or another's."""
    query = delete(SignIn).where(SignIn.id == sign_in_id, *_of(person)).returning(SignIn.id)
    return session.scalar(query) is not None


def end_all(session: Session, person: Person, *, but: int | None = None) -> None:
    """End all of this person's, in all browsers, or in all but one."""
    query = delete(SignIn).where(*_of(person))
    session.execute(query if but is None else query.where(SignIn.id != but))


def stamp(person: Person) -> str:
    """Changes with PIN, password and authenticator: new ones end the sign-ins of the old."""
    known = (
        f"{person.password_hash} {person.totp_secret}"
        if isinstance(person, Operator)
        else person.pin_hash or ""
    )
    return hashlib.sha256(known.encode()).hexdigest()[:12]


def keep(session: Session, person: Person, before: str) -> None:
    """The same secret is only kept in another way: what had the stamp `before` goes on."""
    query = update(SignIn).where(*_of(person), SignIn.stamp == before)
    session.execute(query.values(stamp=stamp(person)))


def role_of(person: Person) -> Role:
    return "operator" if isinstance(person, Operator) else "officer"


def called(agent: str) -> str:
    """What its owner calls this browser, `Firefox, Android`; as much as can be told."""
    browser = next((name for name in BROWSERS if f"{name}/" in agent), "")
    system = next((name for name in SYSTEMS if name in agent), "")
    system = re.sub("Macintosh", "Mac", system)
    return ", ".join(filter(None, (CALLED.get(browser, browser), system)))


def _of(person: Person) -> tuple[ColumnElement[bool], ...]:
    return SignIn.role == role_of(person), SignIn.person_id == person.id


def _digest(session: Session, token: str) -> str:
    return vault_of(session).digest(f"sign-in {token}")


def _seen(store: Store, row: SignIn, moment: datetime) -> None:
    try:
        with store.transaction() as session:
            session.execute(update(SignIn).where(SignIn.id == row.id).values(seen_at=moment))
    except SQLAlchemyError as error:
        if not away(error):  # else they may read on, and the next request writes it
            raise
