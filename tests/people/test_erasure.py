from sqlalchemy import func, select

from gateway import outbox
from gateway.context import Context
from gateway.outbox import reports
from gateway.outbox.reports import Report
from gateway.people import erasure, farmers
from gateway.store.models import DeliveryReport, Farmer, Message, UssdSession
from tests.support.house import FARMER

OTHER = "+250788000002"


def know(context: Context, phone: str) -> None:
    """A farmer, a message, a report that fits none, and the end of a session."""
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, phone)
        outbox.post(session, key=phone, to=phone, text="x", kind="answer", farmer_id=farmer.id)
        reports.receive(session, Report(f"ATXid_{phone}", "Success", "delivered", phone=phone))
        digest = context.store.vault.digest(phone)
        session.add(UssdSession(session_id=phone, address_digest=digest))


def test_nothing_that_names_the_number_is_left_and_others_keep_theirs(
    any_context: Context,
) -> None:
    know(any_context, FARMER)
    know(any_context, OTHER)
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is not None
    with any_context.store.reading() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (Farmer, Message, DeliveryReport, UssdSession)
        ]
        assert farmers.find(session, FARMER) is None
    assert counts == [1, 1, 1, 1]


def test_an_unknown_number_is_nothing_to_erase(any_context: Context) -> None:
    assert erasure.erase(any_context.store, any_context.photos, FARMER, by="test") is None
