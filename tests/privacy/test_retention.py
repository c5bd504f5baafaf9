from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select, update

from gateway.cases import escalation, intake, life
from gateway.cases.case import open_case
from gateway.context import Context
from gateway.jobs import sweeps, sweeps_cases
from gateway.people import farmers
from gateway.privacy import consent, retention
from gateway.store.base import now
from gateway.store.models import (
    Case,
    DeliveryReport,
    Escalation,
    Event,
    Farmer,
    MediaMessage,
    Message,
    Photo,
    UssdSession,
)
from gateway.store.photos import PhotoMissing
from rig.things import AREA, FARMER, kiosk, officer, photo

YEAR = timedelta(days=367)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


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


def test_bytes_whose_deletion_failed_are_found_by_the_sweep_of_orphans(
    any_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = old_case(any_context)

    def refuse(_address: str) -> None:
        raise OSError("the disk does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(any_context.photos, "delete", refuse)
        with pytest.raises(OSError, match="does not answer"):
            sweeps_cases.expired_data(any_context)
    assert any_context.photos.get(address)
    with time_machine.travel(now() + timedelta(days=2), tick=False):
        assert sweeps.orphaned_photos(any_context) == 1
    with pytest.raises(PhotoMissing):
        any_context.photos.get(address)


def test_one_picture_of_two_cases_goes_with_the_last_of_them(
    any_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    address = old_case(any_context)
    other = old_case(any_context, "+250788000002", shade=121)
    with any_context.store.transaction() as session:
        session.scalars(select(Photo).where(Photo.address == other)).one().address = address
    sweeps_cases.expired_data(any_context)
    with pytest.raises(PhotoMissing):
        any_context.photos.get(address)


def test_a_picture_that_still_trains_is_no_orphan(any_context: Context) -> None:
    address = old_case(any_context)
    with any_context.store.transaction() as session:
        farmers.find_or_create(session, FARMER).training_consent_at = now() - YEAR
    sweeps_cases.expired_data(any_context)
    with time_machine.travel(now() + timedelta(days=2), tick=False):
        assert sweeps.orphaned_photos(any_context) == 0
    assert any_context.photos.get(address)


def test_an_open_case_ends_when_its_farmer_is_forgotten(any_context: Context) -> None:
    old_case(any_context)
    sweeps_cases.expired_data(any_context)
    officer(any_context.store, area="*")
    assert sweeps_cases.unanswered_escalations(any_context) == 0
    with any_context.store.reading() as session:
        case = session.scalars(select(Case)).one()
        held = session.scalars(select(Escalation)).one()
        assert (case.state, held.outcome) == (life.CLOSED, "withdrawn")
        assert held.closed_at is not None
        last = session.scalars(select(Event).where(Event.kind == "case").order_by(Event.id)).all()
        assert (last[-1].from_state, last[-1].to_state) == (life.ESCALATED, life.CLOSED)
        assert {m.address for m in session.scalars(select(Message))} == {""}


@pytest.mark.parametrize("trains", [False, True])
def test_nobody_adds_a_photo_to_a_forgotten_case(any_context: Context, trains: bool) -> None:
    old_case(any_context)
    with any_context.store.transaction() as session:
        consent = now() - YEAR if trains else None
        farmers.find_or_create(session, FARMER).training_consent_at = consent
    sweeps_cases.expired_data(any_context)
    with any_context.store.transaction() as session:
        case = session.scalars(select(Case)).one()
        case.state = life.PHOTO_REQUESTED
    upload = intake.Upload(
        photo(99), f"kiosk:{case.kiosk_id}", None, case=case.code, kiosk_id=case.kiosk_id
    )
    with pytest.raises(intake.UploadRefused) as refused:
        intake.accept(any_context.store, any_context.photos, upload)
    assert refused.value.code == "case_not_found"


def old_farmer(context: Context) -> str:
    """One of whom nothing is left; returns her id."""
    with time_machine.travel(now() - YEAR, tick=False), context.store.transaction() as session:
        return farmers.find_or_create(session, FARMER).id


def test_all_farmers_of_whom_nothing_is_left_go(
    any_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    store = any_context.store
    with time_machine.travel(now() - YEAR, tick=False), store.transaction() as session:
        for last in range(5):
            farmers.find_or_create(session, f"+25078800001{last}")
    assert sweeps_cases.expired_data(any_context) == 5
    assert sweeps_cases.expired_data(any_context) == 0


@ON_POSTGRESQL
def test_a_farmer_who_hands_in_a_case_right_now_is_not_forgotten(any_context: Context) -> None:
    old_farmer(any_context)
    store = any_context.store
    with store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER, lock=True)
        open_case(session, farmer, source="kiosk", area=AREA)
        with store.transaction() as other:
            assert retention.forget_farmers(other, now()) == 0
    with store.reading() as session:
        assert session.scalars(select(Case)).one().farmer.phone == FARMER


def test_a_case_that_came_after_the_first_look_keeps_its_farmer(
    any_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    her = old_farmer(any_context)
    with any_context.store.transaction() as session:
        open_case(session, session.get_one(Farmer, her), source="kiosk", area=AREA)
    monkeypatch.setattr(retention, "farmers_to_forget", lambda _session, _before: [her])
    with any_context.store.transaction() as session:
        assert retention.forget_farmers(session, now()) == 0
    with any_context.store.reading() as session:
        assert session.scalars(select(Case)).one().farmer_id == her


@ON_POSTGRESQL
def test_a_farmer_who_comes_while_she_is_forgotten_is_made_anew(
    any_context: Context, somebody_waits: Callable[[], None]
) -> None:
    her = old_farmer(any_context)
    store = any_context.store

    def come() -> str:
        with store.transaction() as session:
            return farmers.find_or_create(session, FARMER, lock=True).id

    with ThreadPoolExecutor(1) as pool:
        with store.transaction() as session:
            assert retention.farmers_to_forget(session, now()) == [her]
            came = pool.submit(come)
            somebody_waits()
            assert retention.forget_farmers(session, now()) == 1
        assert came.result(timeout=30) != her


OLD_ENOUGH = timedelta(days=100)


def with_months(context: Context, **months: int) -> Context:
    own = {f"retention_{kind}_months": count for kind, count in months.items()}
    return replace(context, settings=context.settings.model_copy(update=own))


@pytest.mark.parametrize(
    ("kind", "gone"),
    [
        ("messages", {"out"}),
        ("texts", {"in", "media"}),
        ("sessions", {"session"}),
        ("reports", {"report"}),
        ("photos", {"photo"}),
        ("audit", {"audit"}),
    ],
)
def test_each_kind_of_data_has_its_own_time(
    any_context: Context, kind: str, gone: set[str]
) -> None:
    then = now() - OLD_ENOUGH
    store, photos = any_context.store, any_context.photos
    keeper, _ = kiosk(store)
    intake.accept(store, photos, intake.Upload(photo(), f"kiosk:{keeper.id}", FARMER))
    digest = store.vault.number(FARMER)
    with store.transaction() as session:
        for direction, state in (("in", "received"), ("out", "delivered")):
            session.add(
                Message(
                    key=direction, direction=direction, state=state, address=FARMER,
                    address_digest=digest, text=direction, created_at=then,
                )
            )  # fmt: skip
        session.add(MediaMessage(key="m", phone=FARMER, addresses="", received_at=then))
        session.add(UssdSession(session_id="s", address_digest=digest, ended_at=then))
        session.add(DeliveryReport(provider_id="p", status="Success", received_at=then))
        session.add(Event(kind="kiosk_changed", actor="operator:a", at=then))
        session.execute(update(Photo).values(received_at=then))
    sweeps_cases.expired_data(with_months(any_context, **{kind: 3}))
    with store.reading() as session:
        left = {
            *(m.text for m in session.scalars(select(Message)) if m.text in ("in", "out")),
            *("media" for _ in session.scalars(select(MediaMessage))),
            *("session" for _ in session.scalars(select(UssdSession))),
            *("report" for _ in session.scalars(select(DeliveryReport))),
            *("audit" for _ in session.scalars(select(Event).where(Event.kind == "kiosk_changed"))),
            *("photo" for _ in photos.addresses()),
        }
    assert {"in", "out", "media", "session", "report", "audit", "photo"} - left == gone


def test_a_photo_that_trains_or_is_sent_again_outlives_its_time(any_context: Context) -> None:
    store, photos = any_context.store, any_context.photos
    keeper, _ = kiosk(store)
    then = now() - OLD_ENOUGH
    for phone, shade in ((FARMER, 60), ("+250788000002", 70)):
        intake.accept(store, photos, intake.Upload(photo(shade), f"kiosk:{keeper.id}", phone))
    with store.transaction() as session:
        session.execute(update(Photo).values(received_at=then))
        trainer = farmers.find(session, FARMER)
        assert trainer is not None
        consent.allow_training(session, trainer, True, by="test")
    intake.accept(store, photos, intake.Upload(photo(70), f"kiosk:{keeper.id}", "+250788000003"))
    three = with_months(any_context, photos=3)
    assert sweeps_cases.expired_data(three) == 1
    assert sweeps_cases.expired_data(three) == 0
    assert len(list(photos.addresses())) == 2
