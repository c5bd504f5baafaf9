"""What we hold of one person, written into a folder that she can be given."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from gateway.people import farmers, profiles
from gateway.store import Store
from gateway.store.database import vault_of
from gateway.store.models import (
    Case,
    DeliveryReport,
    Diagnosis,
    Escalation,
    Event,
    Farmer,
    Label,
    MediaMessage,
    Message,
    Officer,
    Photo,
    Profile,
    UssdSession,
)
from gateway.store.photos import PhotoMissing, PhotoStore
from gateway.store.vault import SealBroken

FILE = "what-we-hold.json"
ABOUT = (
    "This is everything that the service holds about the phone number in it, on the day it was "
    "written. Times are UTC. Photos are beside this file, named by the case they belong to."
)


class PersonError(Exception):
    """It cannot be written. The text is one line that says what to do."""


@dataclass(frozen=True)
class Written:
    cases: int
    photos: int
    messages: int


def export(store: Store, photos: PhotoStore, phone: str, folder: Path) -> Written | None:
    """Write what is held of a number (E.164) into a new folder; None when nothing is.

    Raises: PersonError.
    """
    with store.reading() as session:
        held, pictures = _held(session, phone)
    if held is None:
        return None
    try:
        folder.mkdir(mode=0o700, parents=True)
        written = sum(_picture(photos, folder / name, address) for name, address in pictures)
        text = json.dumps(held, ensure_ascii=False, indent=2, default=_plain)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")
    except FileExistsError:
        raise PersonError(f"{folder} is there already; give a new folder") from None
    except OSError as error:
        raise PersonError(f"cannot write {folder}: {error.strerror}") from None
    return Written(len(held["cases"]), written, len(held["messages"]))


def _picture(photos: PhotoStore, path: Path, address: str) -> int:
    try:
        path.write_bytes(photos.get(address))
    except (PhotoMissing, SealBroken):
        return 0
    return 1


def _held(session: Session, phone: str) -> tuple[dict[str, Any] | None, list[tuple[str, str]]]:
    digests = vault_of(session).numbers(phone)
    farmer = farmers.find(session, phone)
    cases = (
        session.scalars(select(Case).where(Case.farmer_id == farmer.id).order_by(Case.id)).all()
        if farmer
        else []
    )
    hers = or_(
        Message.address_digest.in_(digests), Message.farmer_id == (farmer.id if farmer else "")
    )
    # What an officer was sent is of the office, and tells of others.
    messages = _all(session, Message, and_(hers, Message.officer_id.is_(None)))
    reports = _all(session, DeliveryReport, DeliveryReport.address_digest.in_(digests))
    sessions = _all(session, UssdSession, UssdSession.address_digest.in_(digests))
    media = _all(session, MediaMessage, MediaMessage.address_digest.in_(digests))
    officer = session.scalar(select(Officer).where(Officer.phone_digest.in_(digests)))
    if farmer is None and officer is None and not (messages or reports or sessions or media):
        return None, []
    pictures: list[tuple[str, str]] = []
    held = {
        "about": ABOUT,
        "phone number": phone,
        "person": _person(farmer) if farmer else None,
        "people who share the phone": [_profile(p) for p in profiles.of(session, farmer)]
        if farmer
        else [],
        "officer": _officer(officer) if officer else None,
        "cases": [_case(session, case, pictures) for case in cases],
        "messages": [_message(message) for message in messages],
        "delivery reports": [
            _row(r, received_at="received", status="status", reason="reason") for r in reports
        ],
        "USSD sessions": [
            _row(s, ended_at="ended", status="status", hops="steps", screens="screens")
            for s in sessions
        ],
        "photo messages": [
            _row(m, received_at="received", outcome="what became of it") for m in media
        ],
        "history": _history(session, Event.farmer_id == farmer.id) if farmer else [],
    }
    return held, pictures


def _person(farmer: Farmer) -> dict[str, Any]:
    return _row(
        farmer,
        language="language",
        place="place",
        area="area",
        created_at="known since",
        consent_at="agreed at",
        consent_version="version of the text agreed to",
        consent_by="agreement taken by",
        training_consent_at="agreed to teaching the model at",
        opted_out_at="no messages since",
    )


def _profile(profile: Profile) -> dict[str, Any]:
    return _row(
        profile,
        name="name",
        language="language",
        created_at="known since",
        consent_at="agreed at",
        consent_version="version of the text agreed to",
        consent_by="agreement taken by",
    )


def _officer(officer: Officer) -> dict[str, Any]:
    return _row(
        officer,
        name="name",
        area="area",
        languages="languages",
        work_days="days of work, 1 is Monday",
        work_hours="hours of work",
        created_at="known since",
        disabled_at="out of service since",
    )


def _case(session: Session, case: Case, pictures: list[tuple[str, str]]) -> dict[str, Any]:
    named = []
    for number, photo in enumerate(_all(session, Photo, Photo.case_id == case.id), start=1):
        name = f"{case.code}-{number}.jpg"
        pictures.append((name, photo.address))
        named.append({"file": name, "received": photo.received_at})
    verdicts = _all(session, Diagnosis, Diagnosis.case_id == case.id)
    people = _all(session, Escalation, Escalation.case_id == case.id)
    labels = _all(session, Label, Label.case_id == case.id)
    told = _row(
        case,
        code="code",
        source="came by",
        crop="crop",
        language="language",
        place="place",
        area="area",
        state="state",
        label="looks like",
        verdict="what the machine decided",
        confidence="how sure it was, 0 to 1",
        answers="what was told",
        created_at="opened",
        updated_at="last changed",
    )
    return told | {
        "photos": named,
        "machine": [
            _row(v, created_at="at", label="looks like", verdict="decided", confidence="how sure")
            for v in verdicts
        ],
        "officers": [
            _row(p, opened_at="given", closed_at="ended", outcome="outcome", answer="answer")
            for p in people
        ],
        "labels by officers": [
            _row(x, label="label", words="words", created_at="at") for x in labels
        ],
        "history": _history(session, Event.case_id == case.id),
    }


def _message(message: Message) -> dict[str, Any]:
    from_her = message.direction == "in"
    return {"direction": "from this number" if from_her else "to this number"} | _row(
        message,
        created_at="at",
        text="text",
        language="language",
        state="state",
        outcome="outcome",
        sent_at="sent",
        final_at="delivered or ended",
    )


def _history(session: Session, mine: Any) -> list[dict[str, Any]]:
    return [
        _row(
            event, at="at", kind="what", from_state="from", to_state="to", actor="by", reason="why"
        )
        for event in _all(session, Event, mine)
    ]


def _all(session: Session, table: Any, mine: Any) -> list[Any]:
    return list(session.scalars(select(table).where(mine).order_by(table.id)))


def _row(row: Any, **names: str) -> dict[str, Any]:
    """The named columns that hold something, in readable words."""
    values: Iterable[tuple[str, Any]] = ((word, getattr(row, name)) for name, word in names.items())
    return {word: value for word, value in values if value not in (None, "")}


def _plain(value: Any) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
