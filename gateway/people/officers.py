"""Extension officers: their area, languages and duty; a number plus a PIN is who they are."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway import words
from gateway.people import PeopleError, guessing, hashing, lockout, sign_ins
from gateway.people.lockout import Place
from gateway.store import Store
from gateway.store.base import now
from gateway.store.database import vault_of
from gateway.store.models import Event, Officer

PIN_DIGITS = 5
WORK_DAYS = re.compile("(?=.)1?2?3?4?5?6?7?")
WORK_HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-4]):[0-5]\d)")


class WrongPin(Exception):
    """Number and PIN do not fit together.

    `left`: tries that cost no wait. `until`: from when another is judged; None: at once.
    """

    def __init__(self, left: int, until: datetime | None) -> None:
        super().__init__("number and PIN do not fit together")
        self.left, self.until = left, until


def add(
    session: Session,
    phone: str,
    name: str,
    area: str,
    languages: list[str],
    *,
    by: str = "operator",
) -> tuple[Officer, str]:
    """Make an officer (number in E.164) and a PIN; the PIN is shown once and never again.

    Raises: PeopleError when the number is taken or a field is wrong.
    """
    name, area = _checked(name, area, languages)
    vault = vault_of(session)
    if session.scalar(select(Officer.id).where(Officer.phone_digest.in_(vault.numbers(phone)))):
        raise PeopleError("officer_taken", "an officer with this number exists already")
    pin = _pin()
    officer = Officer(
        name=name,
        phone=phone,
        phone_digest=vault.number(phone),
        area=area,
        languages=",".join(languages),
        pin_hash=hashing.kept(pin),
    )
    session.add(officer)
    session.flush()
    session.add(Event(kind="officer_added", actor=by, data={"officer": officer.id}))
    return officer, pin


def by_phone(session: Session, phone: str) -> Officer | None:
    """The officer in service with this number (E.164), on duty or not."""
    known = Officer.phone_digest.in_(vault_of(session).numbers(phone))
    query = select(Officer).where(known, Officer.disabled_at.is_(None))
    return session.scalar(query)


def who(phone: str) -> str:
    """Of whom wrong tries are counted: whose number (E.164) it is."""
    return f"officer {phone}"


def try_pin(store: Store, phone: str, officer: Officer | None, pin: str, place: Place) -> None:
    """Judge a PIN typed for this number (E.164), at whichever door; all count together. A number
    that is nobody's (`officer` is None) takes as long and is answered alike.

    Raises:
        WrongPin: it is not the officer's.
        lockout.Locked: too many wrong tries; nothing was judged.
    """
    left = lockout.count_try(store, who(phone), place)
    if not hashing.right(officer.pin_hash if officer else None, pin) or officer is None:
        if officer is not None:
            guessing.noticed(store, officer, who(phone))
        raise WrongPin(left, lockout.closed(store, who(phone), place))
    if officer.pin_hash is not None and hashing.stale(officer.pin_hash):
        _keep_anew(store, officer, pin)
    lockout.open_again(store, who(phone), place)


def _keep_anew(store: Store, officer: Officer, pin: str) -> None:
    anew = hashing.kept(pin)
    with store.transaction() as session:
        row = session.get_one(Officer, officer.id, with_for_update=True)
        if row.pin_hash == officer.pin_hash:
            before = sign_ins.stamp(row)
            row.pin_hash = officer.pin_hash = anew
            sign_ins.keep(session, row, before)


def set_duty(session: Session, officer: Officer, on_duty: bool) -> None:
    """At work or off duty from now on; a leave ends with it."""
    if officer.on_duty != on_duty or officer.away_until is not None:
        officer.on_duty, officer.away_until = on_duty, None
        data = {"officer": officer.id, "on_duty": on_duty}
        session.add(Event(kind="duty", actor=f"officer:{officer.id}", data=data))


def leave(session: Session, officer: Officer, until: datetime) -> None:
    """No new cases before this moment; then on duty again, without anybody's doing."""
    officer.on_duty, officer.away_until = True, until
    data = {"officer": officer.id, "away_until": until.isoformat()}
    session.add(Event(kind="duty", actor=f"officer:{officer.id}", data=data))


def change(
    session: Session,
    officer: Officer,
    *,
    name: str,
    area: str,
    languages: list[str],
    work_days: str,
    work_hours: str,
    on_duty: bool,
    by: str,
) -> None:
    """Change what may change of an officer; the number is who they are, and stays.

    Args:
        work_days: ISO weekdays, 1 is Monday, in order.
        work_hours: local time, `08:00-17:00`; the end is after the beginning.

    Raises: PeopleError when a value cannot be.
    """
    name, area = _checked(name, area, languages)
    if not WORK_DAYS.fullmatch(work_days):
        raise PeopleError("no_work_day", "an officer works on one day of the week at least")
    span = WORK_HOURS.fullmatch(work_hours)
    if not span or span[1] >= span[2] or span[2] > "24:00":
        text = "working hours are written 08:00-17:00, the end after the beginning"
        begins = re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", work_hours.partition("-")[0])
        raise PeopleError("work_hours", text, field="until" if begins else "from")
    officer.name, officer.area, officer.languages = name, area, ",".join(languages)
    officer.work_days, officer.work_hours = work_days, work_hours
    session.add(Event(kind="officer_changed", actor=by, data={"officer": officer.id}))
    if officer.at_work != on_duty:
        officer.on_duty, officer.away_until = on_duty, None
        data = {"officer": officer.id, "on_duty": on_duty}
        session.add(Event(kind="duty", actor=by, data=data))


def new_pin(session: Session, officer: Officer, *, by: str) -> str:
    """Make another PIN, shown once; the old one and what it signed in end."""
    pin = _pin()
    officer.pin_hash = hashing.kept(pin)
    sign_ins.end_all(session, officer)
    session.add(Event(kind="officer_new_pin", actor=by, data={"officer": officer.id}))
    return pin


def enable(session: Session, officer: Officer, *, by: str) -> None:
    """Back in service, off duty until they say otherwise."""
    officer.disabled_at = None
    session.add(Event(kind="officer_enabled", actor=by, data={"officer": officer.id}))


def disable(session: Session, officer_id: int, *, by: str = "operator") -> Officer:
    """Raises: PeopleError when there is no such officer."""
    officer = session.get(Officer, officer_id)
    if officer is None:
        text = f"there is no officer {officer_id}; see `leafline officer list`"
        raise PeopleError("officer_unknown", text, name=officer_id)
    officer.disabled_at = officer.disabled_at or now()
    officer.on_duty = False
    sign_ins.end_all(session, officer)
    session.add(Event(kind="officer_disabled", actor=by, data={"officer": officer.id}))
    return officer


def listed(session: Session) -> list[Officer]:
    return list(session.scalars(select(Officer).order_by(Officer.id)))


def set_language(officer: Officer, language: str) -> None:
    """Write to the officer in this language, which is one of theirs from now on."""
    others = [code for code in officer.languages.split(",") if code != language]
    officer.languages = ",".join((language, *others))


def _checked(name: str, area: str, languages: list[str]) -> tuple[str, str]:
    name, area = words.line(name), words.line(area)
    right = {"name": 0 < len(name) <= 80, "area": 0 < len(area) <= 80, "own": bool(languages)}
    if wrong := next((field for field, fits in right.items() if not fits), None):
        text = "an officer needs a name, an area and a language"
        raise PeopleError("officer_fields", text, field=wrong)
    return name, area


def _pin() -> str:
    return "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
