"""Gathering the evidence: from the store, from Redis, and from the phones outside."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import redis
import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.cases import undelivered
from gateway.cases.queue import PREFIX
from gateway.spool import Spool
from gateway.store.base import now
from gateway.store.models import (
    Case,
    DeliveryReport,
    Diagnosis,
    Escalation,
    Farmer,
    Incident,
    Message,
    Photo,
    Repair,
)
from gateway.store.photos import Folder, PhotoMissing
from gateway.store.vault import Vault
from rig.house import wait_until
from rig.storm.audit import OPEN, CaseFacts, Evidence, Out
from rig.storm.site import SECRET, Site

VAULT = Vault(SECRET)
QUEUE = "rq:queue:photos"


@dataclass(frozen=True)
class Unfinished:
    """What is not at rest yet."""

    photos: int
    messages: int
    spooled: bool
    undelivered: int = 0

    def __bool__(self) -> bool:
        return bool(self.photos or self.messages or self.spooled or self.undelivered)


def unfinished(site: Site) -> Unfinished:
    store = site.store()
    with store.reading() as session:
        photos = session.scalar(select(func.count(Photo.id)).where(Photo.diagnosed_at.is_(None)))
        messages = session.scalar(
            select(func.count(Message.id)).where(
                Message.direction == "out", Message.state.in_(OPEN)
            )
        )
        to_hand_over = len(undelivered.due(session, now(), limit=100))
    store.close()
    return Unfinished(photos or 0, messages or 0, _spool(site).waits(), to_hand_over)


def gather(site: Site) -> Evidence:
    """Everything the auditor wants to see. The house runs; what it does is done."""
    journal = site.journal()
    found = Evidence(
        phones=Counter(
            (sms["phone"], sms["text"]) for sms in site.messages() if sms["direction"] == "in"
        ),
        undelivered=set(journal["undelivered"]),
        reports_told={(message_id, status) for message_id, status in journal["reports"]},
        spooled=int(_spool(site).waits()),
        set_aside=_spool(site).failed(),
        on_queue=_on_queue(site),
    )
    store = site.store()
    with store.reading() as session:
        _cases(session, found)
        _photos(session, found, Folder(site.house.home / "photos", VAULT))
        _messages(session, found)
        _farmers(session, found)
        open_ones = select(Incident.cause).where(Incident.closed_at.is_(None))
        found.incidents = set(session.scalars(open_ones))
        found.reports = {
            (row.provider_id, row.status)
            for row in session.execute(select(DeliveryReport.provider_id, DeliveryReport.status))
        }
    store.close()
    return found


def repairs(site: Site) -> dict[str, int]:
    store = site.store()
    with store.reading() as session:
        rows = session.execute(
            select(Repair.sweep, func.sum(Repair.count)).group_by(Repair.sweep)
        ).all()
    store.close()
    return {sweep: int(count) for sweep, count in rows}


def windows(site: Site, count: int = 60) -> list[float]:
    """Seconds from a handset's having a message to the store's knowing it, one at a time: the
    window in which a crash leaves a fate unknown. Nothing else goes on."""
    last = max((int(sms["id"]) for sms in site.messages()), default=0)
    for number in range(count):
        form = {"from": f"+25072{number:07d}", "id": f"calm-{number}", "text": "HELP", "to": "384"}
        requests.post(f"{site.webhooks}/sms", data=form, timeout=30).raise_for_status()
        wait_until(lambda: not unfinished(site).messages, "a message to be sent")
    at = {
        sms["message_id"]: datetime.fromisoformat(sms["at"])
        for sms in site.messages(last)
        if sms["direction"] == "in"
    }
    store = site.store()
    with store.reading() as session:
        query = select(Message.provider_id, Message.sent_at).where(Message.provider_id.in_(at))
        settled = session.execute(query).all()
    store.close()
    return sorted((sent - at[key]).total_seconds() for key, sent in settled if key and sent)


def _cases(session: Session, found: Evidence) -> None:
    def counted(column: object, *where: object) -> Callable[[int], int]:
        query = select(column, func.count()).where(*where).group_by(column)  # type: ignore[call-overload, arg-type]
        counts = dict(session.execute(query).all())
        return lambda case_id: counts.get(case_id, 0)

    photos = counted(Photo.case_id)
    waiting = counted(Photo.case_id, Photo.diagnosed_at.is_(None))
    diagnoses = counted(Diagnosis.case_id)
    held = counted(Escalation.case_id, Escalation.closed_at.is_(None))
    closings = counted(Message.case_id, Message.template == "officer_closing")
    for case in session.scalars(select(Case)):
        found.cases[case.code] = CaseFacts(
            case.code,
            case.farmer.phone,
            case.state,
            waiting_photos=waiting(case.id),
            diagnoses=diagnoses(case.id),
            photos=photos(case.id),
            held=bool(held(case.id)),
            closed_by_officer=closings(case.id),
        )
        if case.source == "ussd":
            found.requests[case.farmer.phone] += 1


def _photos(session: Session, found: Evidence, folder: Folder) -> None:
    addresses = set()
    for client_id, code, address in session.execute(
        select(Photo.client_id, Case.code, Photo.address).join(Case)
    ):
        found.uploads.setdefault(client_id, []).append(code)
        addresses.add(address)
    for address in addresses:
        with contextlib.suppress(PhotoMissing):
            folder.get(address)
            continue
        found.bytes_missing += 1


def _messages(session: Session, found: Evidence) -> None:
    codes = {row.id: row.code for row in session.execute(select(Case.id, Case.code))}
    for row in session.scalars(select(Message).order_by(Message.id)):
        if row.direction == "in":
            found.received[row.key.removeprefix("in:")] += 1
            continue
        if row.key.startswith("sms:"):
            found.replies[row.key.removeprefix("sms:")] += 1
        found.messages.append(
            Out(
                row.address,
                row.text or "",
                row.state,
                row.outcome or "",
                row.kind,
                resent=row.resent_at is not None,
                case=codes.get(row.case_id or 0, ""),
                to_farmer=row.farmer_id is not None,
                provider_id=row.provider_id or "",
            )
        )


def _farmers(session: Session, found: Evidence) -> None:
    for farmer in session.scalars(select(Farmer)):
        if farmer.consent_at is not None:
            found.consents.add(farmer.phone)
        if farmer.opted_out_at is not None:
            found.opted_out.add(farmer.phone)


def _spool(site: Site) -> Spool:
    return Spool(site.house.home / "spool", VAULT)


def _on_queue(site: Site) -> int:
    with redis.Redis.from_url(f"unix://{site.house.home / 'redis.sock'}") as client:
        waiting = [bytes(job) for job in client.lrange(QUEUE, 0, -1)]
    return sum(job.startswith(PREFIX.encode()) for job in waiting)
