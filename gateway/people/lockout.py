"""Brakes on guessing a PIN or a password: delays that grow, and leave its owner a way in.

All doors count wrong tries of one person together (`who`): a PIN has one budget, wherever it is
guessed. Once that is used up, each place (a browser, an address, the phone itself) waits for its
own wrong tries alone. So a stranger who guesses delays himself, and the owner's first try from
elsewhere is still judged. Guessing from ever new addresses delays all that are new; a browser in
which the owner was signed in before, and the owner's phone, are not among them. One address waits
too when it was wrong about many people.

Counted in the store, so that neither a restart nor a second process starts anew. A try is counted
before the secret is looked at, and one that must wait costs a look into the store and no hash.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.store import Store
from gateway.store.base import now
from gateway.store.database import insert_once
from gateway.store.models import Lockout

TRIES = 5
"""Wrong tries of one person, at all doors together, that cost no wait."""
FROM_STRANGERS = 20
"""Wrong tries of one person above which places not seen before wait for each other."""
FROM_ONE_ADDRESS = 20
"""Wrong tries from one address, whomever they name: a whole office may stand behind it."""
FIRST_WAIT = timedelta(minutes=1)
CLOSED_FOR = timedelta(minutes=15)
"""The longest wait; each wrong try doubles it up to here."""
FORGOTTEN_AFTER = timedelta(days=1)
"""Since the last try. Slow guessing gains nothing by waiting for less."""
SWEPT = 100
"""Forgotten rows that one try sweeps away, so that guessing at random numbers fills no table."""


class Locked(Exception):
    """The door is closed until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"closed until {until:%H:%M}")
        self.until = until


@dataclass(frozen=True)
class Place:
    """From where somebody tries."""

    name: str = ""
    known: bool = False
    """The owner was here before, or only the owner can be here."""
    address: str = ""
    """Network address of a place that is not known."""


SOMEWHERE = Place()
THE_PHONE = Place("the phone itself", known=True)
"""A call or message by the owner's number, as the mobile network says."""


def at_address(address: str | None) -> Place:
    """A browser never seen before. Of IPv6 the network counts: one house has 2^64 addresses."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return SOMEWHERE
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ipaddress.IPv6Address(int(ip) >> 64 << 64)
    return Place(f"address {ip}", address=str(ip))


@dataclass(frozen=True)
class Tried:
    """Wrong tries that are not forgotten, and when the last was."""

    wrong: int
    at: datetime


NEVER = Tried(0, datetime.min.replace(tzinfo=UTC))


def closed_until(
    person: Tried, here: Tried, address: Tried, *, known: bool, moment: datetime
) -> datetime | None:
    """When the next try may be judged; None: now."""
    ends = []
    if person.wrong >= TRIES and here.wrong:
        ends.append(_end(here, here.wrong - TRIES, moment))
    if person.wrong >= FROM_STRANGERS and not known:
        ends.append(_end(person, person.wrong - FROM_STRANGERS, moment))
    if address.wrong >= FROM_ONE_ADDRESS:
        ends.append(_end(address, address.wrong - FROM_ONE_ADDRESS, moment))
    latest = max(ends, default=moment)
    return latest if latest > moment else None


def _end(tried: Tried, over: int, moment: datetime) -> datetime:
    if tried.at > moment + CLOSED_FOR:  # from before the clock was set back
        return moment
    doublings = min(max(0, over), 10)  # many more tries than the longest wait needs
    return tried.at + min(FIRST_WAIT * float(2**doublings), CLOSED_FOR)


def count_try(store: Store, who: str, place: Place = SOMEWHERE) -> int:
    """Count one try at being `who` (such as `officer +250788123456`).

    Returns:
        How many tries are left if this one is wrong.

    Raises:
        Locked: this one must not be judged yet.
    """
    moment = now()
    if until := closed(store, who, place):
        raise Locked(until)
    _sweep(store, moment)
    names = _names(store, who, place)
    with store.transaction() as session:
        # One after the other, and always in this order: else two tries could wait for each other.
        rows = [_held(session, name, moment) for name in names]
        until = _closed(dict(zip(names, rows, strict=True)), names, place, moment)
        if until:
            raise Locked(until)
        for row in rows:
            row.wrong = _tried(row, moment).wrong + 1
            row.tried_at, row.locked_until = moment, None
        return max(0, TRIES - rows[0].wrong)


def closed(store: Store, who: str, place: Place = SOMEWHERE) -> datetime | None:
    """Until when no try of this person is judged at this place; None: one would be now."""
    names = _names(store, who, place)
    with store.reading() as session:
        rows = {row.door: row for row in _rows(session, names)}
    return _closed(rows, names, place, now())


def wrong_tries(store: Store, who: str) -> int:
    """Of this person, at all doors."""
    with store.reading() as session:
        row = session.get(Lockout, store.vault.digest(who))
    return _tried(row, now()).wrong


def open_again(store: Store, who: str, place: Place = SOMEWHERE) -> None:
    """The secret was right: forget what was wrong before here; of other places it still counts."""
    person, here, *address = _names(store, who, place)
    with store.transaction() as session:
        of_person = session.get(Lockout, person, with_for_update=True)
        of_here = session.get(Lockout, here, with_for_update=True)
        others = [session.get(Lockout, name, with_for_update=True) for name in address]
        forgiven = of_here.wrong if of_here is not None else 1
        for row in (of_person, *others):
            if row is not None:
                row.wrong = max(0, row.wrong - forgiven)
        session.execute(delete(Lockout).where(Lockout.door == here))
        session.execute(delete(Lockout).where(Lockout.door == person, Lockout.wrong == 0))


def _held(session: Session, name: str, moment: datetime) -> Lockout:
    """The row, made where there is none, and locked."""
    while True:
        insert_once(session, Lockout, {"door": name, "wrong": 0, "tried_at": moment}, "door")
        row = session.get(Lockout, name, with_for_update=True)
        if row is not None:  # else somebody swept it, or came in, between the two
            return row


def _names(store: Store, who: str, place: Place) -> list[str]:
    """Rows of the person, of the person here, and of the address if there is one."""
    texts = [who, f"{who} from {place.name}"]
    if place.address:
        texts.append(f"everybody from {place.address}")
    return [store.vault.digest(text) for text in texts]


def _rows(session: Session, names: list[str]) -> list[Lockout]:
    return list(session.scalars(select(Lockout).where(Lockout.door.in_(names))))


def _closed(
    rows: dict[str, Lockout], names: list[str], place: Place, moment: datetime
) -> datetime | None:
    person, here, *rest = [_tried(rows.get(name), moment) for name in names]
    address = rest[0] if rest else NEVER
    return closed_until(person, here, address, known=place.known, moment=moment)


def _tried(row: Lockout | None, moment: datetime) -> Tried:
    if row is None or row.tried_at < moment - FORGOTTEN_AFTER:
        return NEVER
    return Tried(row.wrong, row.tried_at)


def _sweep(store: Store, moment: datetime) -> None:
    """In a transaction of its own, so that no try waits for a row that another one holds."""
    old = select(Lockout.door).where(Lockout.tried_at < moment - FORGOTTEN_AFTER).limit(SWEPT)
    with store.reading() as session:
        if session.scalar(old.limit(1)) is None:
            return
    with store.transaction() as session:
        session.execute(
            delete(Lockout)
            .where(Lockout.door.in_(old.with_for_update(skip_locked=True)))
            .execution_options(synchronize_session=False)
        )
