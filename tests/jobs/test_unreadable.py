"""Numbers that were sealed with a key that is gone: nothing stops, and a person gets to know."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, text

from gateway.cases import intake
from gateway.channels.mms.fetch import Fetcher
from gateway.context import Context
from gateway.jobs import media, photos, sweeps_cases, sweeps_messages, worker
from gateway.outbox import claim
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Incident, MediaMessage, Message
from gateway.store.vault import Vault
from inference.drawn import draw_leaf
from rig.things import FARMER, OFFICER, kiosk, officer, photo

OTHER = Vault("a key that was in use before, long enough to be one")


def forget_number(context: Context, table: str) -> None:
    with context.store.transaction() as session:
        change = text(f"UPDATE {table} SET phone = :sealed")
        session.execute(change, {"sealed": OTHER.seal_text(FARMER)})


def claimed(context: Context) -> dict[str, tuple[str, str | None]]:
    """(state, outcome) of each message by its template, when all that is due was claimed."""
    with context.store.transaction() as session:
        claim.claim(session, limit=99, lease=timedelta(minutes=1), now=now())
    with context.store.reading() as session:
        rows = session.scalars(select(Message)).all()
        return {row.template or "": (row.state, row.outcome) for row in rows}


def test_a_photo_is_judged_and_an_officer_sees_to_the_farmer(any_context: Context) -> None:
    worker.sit_down(any_context)
    officer(any_context.store)
    keeper, _ = kiosk(any_context.store)
    upload = intake.Upload(
        draw_leaf("maize_rust", 0),
        f"kiosk:{keeper.id}",
        FARMER,
        crop="maize",
        kiosk_id=keeper.id,
        area=keeper.area,
        answers={"stage": "flowering", "plants": "few"},
    )
    accepted = intake.accept(any_context.store, any_context.photos, upload)
    forget_number(any_context, "farmer")
    photos.diagnose(accepted.photo_id)
    assert claimed(any_context) == {"diag_maize_rust_late": ("failed", "unreadable")}
    assert sweeps_cases.undelivered_answers(any_context) == 1
    assert claimed(any_context)["escalation_officer"] == ("sending", None)
    with any_context.store.reading() as session:
        held = session.scalars(select(Escalation)).one()
        assert session.get_one(Case, held.case_id).state == "escalated"
        told = session.scalars(select(Message).where(Message.officer_id.is_not(None))).one()
        assert told.address == OFFICER


def test_sweeps_go_over_a_case_whose_number_cannot_be_read(any_context: Context) -> None:
    keeper, _ = kiosk(any_context.store)
    officer(any_context.store)
    for shade, phone in enumerate((FARMER, "+250788000002")):
        upload = intake.Upload(
            photo(shade), f"kiosk:{keeper.id}", phone, crop="maize", kiosk_id=keeper.id,
            area=keeper.area,
        )  # fmt: skip
        intake.accept(any_context.store, any_context.photos, upload)
    with any_context.store.transaction() as session:
        session.execute(text("UPDATE photo SET diagnosed_at = received_at"))
        change = text("UPDATE farmer SET phone = :sealed WHERE phone_digest = :digest")
        digest = any_context.store.vault.number(FARMER)
        session.execute(change, {"sealed": OTHER.seal_text(FARMER), "digest": digest})
    with time_machine.travel(now() + timedelta(hours=1)):
        assert sweeps_cases.cases_without_answer(any_context) == 2
    with time_machine.travel(now() + timedelta(days=7)):
        assert sweeps_cases.unanswered_escalations(any_context) == 2


def test_photos_of_a_sender_who_cannot_be_read(
    any_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.sit_down(any_context)
    monkeypatch.setattr(Fetcher, "fetch", lambda _self, _url: photo())
    with any_context.store.transaction() as session:
        row = MediaMessage(key="twilio:MM1", phone=FARMER, addresses="https://media.example/1")
        session.add(row)
    forget_number(any_context, "media_message")
    for _ in range(2):
        media.fetch(row.id)
    with any_context.store.reading() as session:
        assert session.get_one(MediaMessage, row.id).outcome == "unreadable"
        assert session.scalars(select(Case)).all() == []
    sweeps_messages.watch(any_context)
    with any_context.store.reading() as session:
        assert session.scalars(select(Incident.cause)).all() == ["media:unreadable"]
    with time_machine.travel(now() + timedelta(days=2)):
        assert sweeps_messages.watch(any_context) == 1
