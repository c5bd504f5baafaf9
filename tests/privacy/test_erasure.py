import pytest
from sqlalchemy import func, select

from gateway import outbox
from gateway.cases import intake
from gateway.context import Context
from gateway.outbox import reports
from gateway.outbox.reports import Report
from gateway.people import farmers
from gateway.privacy import erasure
from gateway.store.base import now
from gateway.store.database import insert_once
from gateway.store.models import (
    Case,
    DeliveryReport,
    Event,
    Farmer,
    MediaMessage,
    Message,
    UssdSession,
)
from gateway.store.photos import PhotoMissing
from rig.things import FARMER, kiosk, photo

OTHER = "+250788000002"


def know(context: Context, phone: str) -> None:
    """A farmer, a message, a report that fits none, the end of a session, photos to be fetched."""
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, phone)
        outbox.post(session, key=phone, to=phone, text="x", kind="answer", farmer_id=farmer.id)
        reports.receive(session, Report(f"ATXid_{phone}", "Success", "delivered", phone=phone))
        digest = context.store.vault.digest(phone)
        session.add(UssdSession(session_id=phone, address_digest=digest))
        values = {"key": phone, "phone": phone, "addresses": "https://media.example/1"}
        insert_once(session, MediaMessage, values, "key")
        session.add(MediaMessage(key=f"old{phone}", phone=phone, addresses="", done_at=now()))


def test_nothing_that_names_the_number_is_left_and_others_keep_theirs(
    any_context: Context,
) -> None:
    know(any_context, FARMER)
    know(any_context, OTHER)
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is not None
    with any_context.store.reading() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (Farmer, Message, DeliveryReport, UssdSession, MediaMessage)
        ]
        assert farmers.find(session, FARMER) is None
    assert counts == [1, 1, 1, 1, 2]


def test_an_unknown_number_is_nothing_to_erase(any_context: Context) -> None:
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is None
    with any_context.store.reading() as session:
        assert session.scalars(select(Event)).all() == []


def test_a_number_that_belongs_to_no_farmer_is_erased_too(any_context: Context) -> None:
    digest = any_context.store.vault.digest(FARMER)
    with any_context.store.transaction() as session:
        session.add(UssdSession(session_id="s", address_digest=digest))
        outbox.post(session, key="k", to=FARMER, text="x", kind="reply")
    erased = erasure.erase(any_context.store, any_context.photos, FARMER, by="test")
    assert erased == erasure.Erased(0, 0)
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is None
    with any_context.store.reading() as session:
        assert session.scalars(select(Event.kind)).all() == ["erased"]
        for table in (Message, UssdSession):
            assert session.scalars(select(table)).all() == []


@pytest.mark.parametrize("trains", [False, True])
def test_a_picture_goes_unless_it_is_shown_by_a_case_that_has_a_person_or_trains(
    any_context: Context, trains: bool
) -> None:
    keeper, _ = kiosk(any_context.store)
    for phone in (OTHER, FARMER):
        upload = intake.Upload(photo(), f"kiosk:{keeper.id}", phone, kiosk_id=keeper.id)
        intake.accept(any_context.store, any_context.photos, upload)
    ((address, _),) = any_context.photos.addresses()
    with any_context.store.transaction() as session:
        other = farmers.find(session, OTHER)
        assert other is not None
        case = session.scalars(select(Case).where(Case.farmer_id == other.id)).one()
        case.farmer = farmers.nobody(session, training=trains)
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is not None
    if trains:
        assert any_context.photos.get(address)
    else:
        with pytest.raises(PhotoMissing):
            any_context.photos.get(address)
