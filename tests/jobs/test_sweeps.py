"""The scheduler, its accounts of repairs, and the sweeps over cases, messages and incidents."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from gateway.cases import escalation
from gateway.cases.case import open_case
from gateway.context import Context
from gateway.jobs import scheduler, sweeps, sweeps_cases, sweeps_messages
from gateway.jobs.scheduler import Periodic
from gateway.people import farmers
from gateway.settings import Settings, SettingsError
from gateway.spool import Spool
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Incident, Message
from gateway.watch import incidents, repairs
from gateway.watch.rows import each
from rig.things import FARMER

HOUR = timedelta(hours=1)
OPERATOR = "+250788000090"


@pytest.fixture
def operated(settings: Settings) -> Iterator[Context]:
    context = Context.open(settings.model_copy(update={"operator_phone": OPERATOR}))
    yield context
    context.close()


def open_causes(context: Context) -> list[str]:
    with context.store.reading() as session:
        return list(session.scalars(select(Incident.cause).where(Incident.closed_at.is_(None))))


def posted(context: Context) -> list[str]:
    with context.store.reading() as session:
        return list(session.scalars(select(Message.text).order_by(Message.id)))  # type: ignore[arg-type]


# The scheduler


def test_a_sweep_that_fails_stops_no_other(context: Context) -> None:
    ran: list[str] = []
    stop = threading.Event()

    def broken(_context: Context) -> int:
        ran.append("broken")
        raise ValueError("a fault of ours")

    def away(_context: Context) -> int:
        ran.append("away")
        raise OperationalError("SELECT", {}, Exception("gone"))

    def last(_context: Context) -> int:
        ran.append("last")
        stop.set()
        return 0

    scheduler.run(context, stop, [Periodic(1, broken), Periodic(1, away), Periodic(1, last)])
    assert ran == ["broken", "away", "last"]


def test_repairs_are_counted_and_many_are_an_incident(
    context: Context, client: FlaskClient
) -> None:
    def waiting_photos(_context: Context) -> int:
        return repairs.FEW

    def told(_context: Context) -> int:
        return 7

    scheduler.sweep_once(context, Periodic(1, told))
    scheduler.sweep_once(context, Periodic(1, waiting_photos, repairs=True))
    assert open_causes(context) == []
    scheduler.sweep_once(context, Periodic(1, waiting_photos, repairs=True))
    assert open_causes(context) == ["repairs:waiting_photos"]
    metrics = client.get("/metrics").text
    assert 'leafline_repairs_total{sweep="waiting_photos"} 20.0' in metrics
    assert 'leafline_incident_open{cause="repairs:waiting_photos"} 1.0' in metrics
    assert 'sweep="told"' not in metrics
    assert sweeps_messages.watch(context) == 0
    with time_machine.travel(now() + HOUR + timedelta(minutes=1)):
        assert sweeps_messages.watch(context) == 1
    assert open_causes(context) == []


# Rows


def test_a_row_that_fails_holds_up_none_behind_it(any_context: Context) -> None:
    done = []

    def work(row: int) -> int:
        if row == 2:
            raise ValueError("a fault of ours")
        done.append(row)
        return 1

    assert each(any_context.store, "cases", [1, 2, 3], work) == 2
    assert done == [1, 3]
    assert open_causes(any_context) == ["sweep:cases"]
    assert each(any_context.store, "others", [1], work) == 1
    assert open_causes(any_context) == ["sweep:cases"]
    assert each(any_context.store, "cases", [], work) == 0
    assert open_causes(any_context) == []


def test_a_store_that_is_away_ends_a_round(context: Context) -> None:
    tried = []

    def work(row: int) -> int:
        tried.append(row)
        raise OperationalError("SELECT", {}, Exception("gone"))

    with pytest.raises(OperationalError):
        each(context.store, "cases", [1, 2], work)
    assert tried == [1]
    assert open_causes(context) == []


def test_a_case_that_cannot_be_given_away_holds_up_no_other(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        first = open_case(session, farmer, source="kiosk", crop="maize").id
        open_case(session, farmer, source="kiosk", crop="bean")
    give = escalation.escalate

    def faulty(session: Any, desk: Any, case: Case, *rest: Any, **named: Any) -> Any:
        if case.id == first:
            raise ValueError("a fault of ours")
        return give(session, desk, case, *rest, **named)

    monkeypatch.setattr(escalation, "escalate", faulty)
    with time_machine.travel(now() + HOUR):
        assert sweeps_cases.cases_without_answer(context) == 1
        assert open_causes(context) == ["sweep:cases_without_answer"]
        monkeypatch.undo()
        assert sweeps_cases.cases_without_answer(context) == 1
        assert open_causes(context) == []


# Cases


def test_a_case_of_which_nobody_was_told_goes_to_a_person(any_context: Context) -> None:
    with any_context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        open_case(session, farmer, source="kiosk", crop="maize")
    assert sweeps_cases.cases_without_answer(any_context) == 0  # it may be on its way
    with time_machine.travel(now() + HOUR):
        assert sweeps_cases.cases_without_answer(any_context) == 1
        assert sweeps_cases.cases_without_answer(any_context) == 0
    with any_context.store.reading() as session:
        assert session.scalars(select(Case.state)).one() == "escalated"
        assert session.scalars(select(Escalation.reason)).one() == "no_answer"
        assert session.scalars(select(Message.template)).all() == ["no_officer"]


def test_unanswered_escalations_use_the_settings(context: Context) -> None:
    with context.store.transaction() as session:
        farmer = farmers.find_or_create(session, FARMER)
        escalation.request_officer(session, context.desk, farmer, "spreading")
    with time_machine.travel(now() + timedelta(days=2)):
        assert sweeps_cases.unanswered_escalations(context) == 0  # still nobody on duty
    assert open_causes(context) == ["escalations:without_officer"]


def test_a_photo_that_was_never_written_to_its_end_is_an_orphan(context: Context) -> None:
    half = context.settings.home / "photos" / "ab" / ".0123456789abcdef"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half a photo")
    assert sweeps.orphaned_photos(context) == 0  # it may still be written
    with time_machine.travel(now() + timedelta(days=2)):
        assert sweeps.orphaned_photos(context) == 1
    assert not half.exists()


# Messages and incidents


def test_a_message_without_a_report_is_marked_once_and_a_late_report_counts(
    context: Context,
) -> None:
    from gateway import outbox
    from gateway.outbox import reports

    with context.store.transaction() as session:
        outbox.post(session, key="k", to=FARMER, text="hello", kind="answer")
        row = session.scalars(select(Message)).one()
        row.state, row.sent_at, row.provider_id = "sent", now() - timedelta(hours=25), "ATXid_1"
    assert sweeps_messages.silent_messages(context) == 1
    assert sweeps_messages.silent_messages(context) == 0
    with context.store.transaction() as session:
        reports.receive(session, reports.Report("ATXid_1", "Success", "delivered"))
    with context.store.reading() as session:
        assert session.scalars(select(Message.state)).one() == "delivered"


def test_callbacks_set_aside_are_an_incident_until_they_are_gone(context: Context) -> None:
    spool = Spool(context.settings.spool, context.store.vault)
    spool.keep("sms", {"id": "1"})

    def broken(*_args: Any) -> None:
        raise KeyError("id")

    spool.replay(broken)
    sweeps_messages.watch(context)
    assert open_causes(context) == [sweeps_messages.SPOOL]
    for path in (context.settings.spool / "failed").iterdir():
        path.rename(context.settings.spool / "waiting" / path.name)
    spool.replay(lambda _kind, _fields: None)
    sweeps_messages.watch(context)
    assert open_causes(context) == []


def test_the_operator_is_told_at_most_once_an_hour_for_each_cause(operated: Context) -> None:
    context, start = operated, now()

    def happens(cause: str, after: timedelta, *, ends: bool = False) -> int:
        with time_machine.travel(start + after, tick=False):
            with context.store.transaction() as session:
                incidents.open_(session, cause, "detail")
            told = sweeps_messages.tell_operator(context)
            assert sweeps_messages.tell_operator(context) == 0
            if ends:
                with context.store.transaction() as session:
                    incidents.close(session, cause)
            return told

    assert happens("channel:no_credit", timedelta(0), ends=True) == 1
    assert happens("channel:no_credit", timedelta(minutes=30)) == 0  # it came back
    assert happens("spool:failed", timedelta(minutes=31)) == 1  # another cause
    assert happens("channel:no_credit", timedelta(minutes=61)) == 1
    texts = posted(context)
    assert len(texts) == 3
    assert "channel:no_credit" in texts[0]


# E-mail


class Inbox:
    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.refuse = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.refuse:
            return "451 later"
        self.letters.append(envelope)
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    handler = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:  # it cannot find a port by itself
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


def test_incidents_go_out_by_mail_and_again_when_the_server_refuses(
    settings: Settings, inbox: tuple[Inbox, int]
) -> None:
    handler, port = inbox
    context = Context.open(
        Settings.read(
            **settings.model_dump(exclude={"smtp_url", "operator_email"}, exclude_unset=True),
            smtp_url=f"smtp://127.0.0.1:{port}",
            operator_email="operator@example.org",
            operator_phone=OPERATOR,
        )
    )
    with context.store.transaction() as session:
        incidents.open_(session, "channel:wrong_key", "no message leaves until this is seen to")
    handler.refuse = True
    sweeps_messages.tell_operator(context)
    handler.refuse = False
    sweeps_messages.tell_operator(context)
    sweeps_messages.tell_operator(context)
    assert [letter.rcpt_tos for letter in handler.letters] == [["operator@example.org"]]
    assert b"no message leaves" in handler.letters[0].content
    assert len(posted(context)) == 1  # the SMS went into the outbox once
    context.close()


@pytest.mark.parametrize(
    "given",
    [
        {"smtp_url": "mail.example.org", "operator_email": "a@b.rw"},
        {"smtp_url": "smtp://", "operator_email": "a@b.rw"},
        {"smtp_url": "smtp://mail.example.org"},
        {"smtp_url": "smtp://mail.example.org", "operator_email": "nobody"},
    ],
)
def test_half_a_mail_setting_stops_the_start(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"SMTP_URL|OPERATOR_EMAIL"):
        Settings.read(**given)
