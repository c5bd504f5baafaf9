from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from gateway.cases import escalation, intake
from gateway.context import Context
from gateway.jobs import sweeps_cases
from gateway.people import farmers
from gateway.store.base import now
from gateway.store.models import Case, Farmer, Message, Photo, UssdSession
from gateway.store.photos import PhotoMissing
from tests.support.house import FARMER, kiosk, photo

YEAR = timedelta(days=367)


def old_case(context: Context, phone: str = FARMER, shade: int = 120, age: timedelta = YEAR) -> str:
    """A case with a photo and messages, of a while ago; returns the photo's address."""
    keeper, _ = kiosk(context.store, f"Kiosk {shade}")
    upload = intake.Upload(
        photo(shade),
        f"kiosk:{keeper.id}",
        phone,
        crop="maize",
        place="Kanyangese, by the church",
        kiosk_id=keeper.id,
    )
    with time_machine.travel(now() - age, tick=False):
        taken = intake.accept(context.store, context.photos, upload)
        with context.store.transaction() as session:
            case = session.scalars(select(Case).where(Case.code == taken.case)).one()
            escalation.escalate(session, context.desk, case, "unknown", actor="machine")
            for message in session.scalars(select(Message)):
                message.state = "delivered"
            session.add(UssdSession(session_id=f"ATUid_{shade}", address_digest="x"))
            return session.get_one(Photo, taken.photo_id).address


def test_the_person_goes_and_the_case_stays(any_context: Context) -> None:
    address = old_case(any_context)
    assert sweeps_cases.expired_data(any_context) > 0
    with any_context.store.reading() as session:
        case = session.scalars(select(Case)).one()
        assert (case.farmer_id, case.place) == (farmers.NOBODY, None)
        assert case.crop == "maize"
        assert now() - case.updated_at > timedelta(days=360)
        assert {(m.address, m.text) for m in session.scalars(select(Message))} == {("", None)}
        assert farmers.find(session, FARMER) is None
        assert session.scalar(select(func.count(UssdSession.id))) == 0
    with pytest.raises(PhotoMissing):
        any_context.photos.get(address)
    assert sweeps_cases.expired_data(any_context) == 0


def test_what_is_younger_is_left_alone(any_context: Context) -> None:
    address = old_case(any_context, age=timedelta(days=300))
    assert sweeps_cases.expired_data(any_context) == 0
    assert any_context.photos.get(address)
    with any_context.store.reading() as session:
        assert session.scalars(select(Case)).one().farmer.phone == FARMER


def test_photos_that_may_train_the_model_stay(context: Context) -> None:
    address = old_case(context)
    with context.store.transaction() as session:
        farmers.find_or_create(session, FARMER).training_consent_at = now() - YEAR
    sweeps_cases.expired_data(context)
    assert context.photos.get(address)
    with context.store.reading() as session:
        assert session.scalars(select(Case)).one().farmer.training_consent_at is not None
        assert farmers.find(session, FARMER) is None


def test_a_photo_that_another_case_shows_too_stays(context: Context) -> None:
    address = old_case(context)
    young = old_case(context, "+250788000002", shade=121, age=timedelta(days=1))
    with context.store.transaction() as session:
        session.scalars(select(Photo).where(Photo.address == young)).one().address = address
    sweeps_cases.expired_data(context)
    assert context.photos.get(address)


def test_an_opt_out_is_remembered(context: Context) -> None:
    old_case(context)
    with context.store.transaction() as session:
        farmers.opt_out(session, farmers.find_or_create(session, FARMER), by="sms")
    sweeps_cases.expired_data(context)
    with context.store.reading() as session:
        farmer = farmers.find(session, FARMER)
        assert farmer is not None
        assert farmer.opted_out_at is not None
        assert session.scalar(select(func.count(Case.id)).where(Case.farmer_id == farmer.id)) == 0


def test_a_farmer_who_was_here_lately_is_not_forgotten(context: Context) -> None:
    with time_machine.travel(now() - YEAR, tick=False), context.store.transaction() as session:
        farmers.find_or_create(session, FARMER)
    with context.store.transaction() as session:
        farmers.set_language(session, farmers.find_or_create(session, FARMER), "rw", by="ussd")
    sweeps_cases.expired_data(context)
    with context.store.reading() as session:
        assert session.scalar(select(func.count(Farmer.id)).where(Farmer.language == "rw")) == 1
