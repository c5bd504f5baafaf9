"""A house from before messages named their provider, upgraded in the middle of its work."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import select

from gateway.channels.takers import takers
from gateway.context import Context
from gateway.outbox import reports
from gateway.outbox.network import Outcome, SendResult
from gateway.outbox.reports import Report
from gateway.outbox.sweep import sweep
from gateway.spool import Spool
from gateway.store import Store
from gateway.store.base import now
from gateway.store.database import _alembic
from gateway.store.models import Case, Incident, Message
from gateway.store.vault import Vault
from rig import servers
from rig.house import wait_until
from tests.conftest import SECRET

from .conftest import PHONE, Carrier
from .test_sender import running

BEFORE = "0090"
AGO = now() - timedelta(minutes=20)


class Old:
    """Tables as they were, and rows in them as the program of then wrote them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        with store.engine.begin() as connection:
            command.upgrade(_alembic(connection), BEFORE)
        self._tables = sa.MetaData()
        self._tables.reflect(store.engine)

    def add(self, table: str, **columns: Any) -> int:
        times = {
            c.name: AGO
            for c in self._tables.tables[table].columns
            if c.name.endswith("_at") and not c.nullable
        }
        with self._store.engine.begin() as connection:
            done = connection.execute(
                self._tables.tables[table].insert().values(**(times | columns))
            )
        return int(done.inserted_primary_key[0]) if table != "farmer" else 0

    def message(self, key: str, state: str, phone: str = PHONE, **columns: Any) -> int:
        vault = self._store.vault
        given = {
            "key": key, "direction": "out", "address": vault.seal_text(phone),
            "address_digest": vault.digest(phone), "text": vault.seal_text(key), "kind": "answer",
            "parts": 1, "priority": 3, "attempts": 0, "state": state, "not_before": AGO,
        }  # fmt: skip
        return self.add("message", **(given | columns))

    def report(self, provider_id: str, status: str, phone: str = PHONE) -> int:
        digest = self._store.vault.digest(phone)
        return self.add(
            "delivery_report", provider_id=provider_id, status=status, reason="",
            fate="delivered", network_code="", address_digest=digest,
            received_at=now(),
        )  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty one, without tables."""
    server: servers.Postgres | None = None
    name = f"old_{uuid.uuid4().hex}"
    url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        server.execute(f"CREATE DATABASE {name}")
        url = server.url.format(name).replace("postgresql://", "postgresql+psycopg://", 1)
    store = Store(url, Vault(SECRET))
    yield store
    store.close()
    if server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def by_key(store: Store) -> dict[str, Message]:
    with store.reading() as session:
        return {row.key: row for row in session.scalars(select(Message))}


def states(store: Store) -> dict[str, tuple[str, str | None]]:
    return {key: (row.state, row.provider) for key, row in by_key(store).items()}


def test_what_waited_goes_on(context: Context, store: Store) -> None:
    old = Old(store)
    vault = store.vault
    old.add(
        "farmer", id="f1", phone=vault.seal_text(PHONE), phone_digest=vault.digest(PHONE),
        language="en", consent_at=AGO,
    )  # fmt: skip
    case = old.add(
        "case_", code="B3CDF4G", farmer_id="f1", source="kiosk", language="en", state="escalated"
    )
    old.add("escalation", case_id=case, reason="unknown")
    about: dict[str, Any] = {"farmer_id": "f1", "case_id": case}
    old.message("waiting", "queued", **about)
    old.message("waiting again", "queued", "+250788000002", resent_at=AGO, outcome="resent")
    old.message("taken", "sent", "+250788000003", provider_id="ATXid_1", sent_at=AGO)
    later = now() + timedelta(minutes=5)
    old.message("lost", "unknown", "+250788000004", not_before=later, outcome="read_timeout")
    old.message("in flight", "sending", "+250788000005", lease_until=now())
    old.report("ATXid_4", "Success", "+250788000004")  # whose answer was lost
    old.add("incident", cause="channel:no_credit", detail="", count=1)

    # Callbacks under the names of then wait in the spool.
    spool = Spool(context.settings.spool, vault)
    sms = {"id": "m1", "from": PHONE, "text": "HELP", "date": "2026-11-24 06:04:45"}
    spool.keep("sms", sms)
    taken = {"id": "ATXid_1", "status": "Success", "phoneNumber": "+250788000003"}
    spool.keep("delivery-reports", taken)
    spool.keep("ussd-events", {"sessionId": "ATUid_1", "status": "Success", "phoneNumber": PHONE})
    spool.keep("opt-outs", {"phoneNumber": "+250788000009"})

    store.migrate()
    context = replace(context, store=store)
    assert {provider for _, provider in states(store).values()} == {"africastalking"}
    while not spool.replay(lambda kind, fields: takers()[kind](context, fields)):
        pass
    assert spool.failed() == 0
    assert states(store)["in:m1"] == ("received", "africastalking")
    assert states(store)["taken"] == ("delivered", "africastalking")

    with store.transaction() as session:
        assert sweep(session, now()) == {"lease_expired": 1, "fate_reported": 1}
    assert states(store)["lost"] == ("delivered", "africastalking")
    assert states(store)["in flight"][0] == "unknown"

    # The first is down: what is fresh goes by the second, what perhaps went before waits for it.
    settings = context.settings.model_copy(update={"fallback_after": 0.0})
    first, second = Carrier("africastalking"), Carrier("http_gateway")
    first.script = [SendResult(Outcome.CHANNEL_DOWN, "no_credit")] * 20
    with running(replace(context, settings=settings), first, second):
        wait_until(lambda: states(store)["waiting"] == ("sent", "http_gateway"), "the second")
    assert states(store)["waiting again"] == ("queued", "africastalking")
    assert ("+250788000002", "waiting again") not in list(second.calls.queue)

    with running(context, Carrier("africastalking")):  # it has credit again
        wait_until(lambda: states(store)["waiting again"][0] == "sent", "the first")
    with store.reading() as session:
        assert session.scalar(select(Incident.closed_at)) is not None
        assert session.scalars(select(Case.state)).one() == "escalated"


def test_a_program_of_before_may_still_write(store: Store) -> None:
    """Its rows, without a provider, are those of the only one it knew."""
    old = Old(store)
    store.migrate()
    at: datetime = now()
    old.message("posted", "queued")
    old.message("taken", "sent", provider_id="ATXid_1", sent_at=at)
    old.report("ATXid_1", "Buffered")
    with store.transaction() as session:
        reports.receive(session, Report("ATXid_1", "Success", "delivered"))
    assert states(store) == {
        "posted": ("queued", "africastalking"),
        "taken": ("delivered", "africastalking"),
    }
