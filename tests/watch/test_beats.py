"""Processes that are missing, and what waits too long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from gateway import outbox
from gateway.channels import providers
from gateway.context import Context
from gateway.jobs import sweeps_messages
from gateway.outbox.sender import Sender
from gateway.running.doctor import check_processes
from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Beat, Incident, Message
from gateway.watch import beats, incidents
from rig.house import wait_until
from rig.things import FARMER


def causes(store: Store) -> list[str]:
    with store.reading() as session:
        open_ones = select(Incident.cause).where(Incident.closed_at.is_(None))
        return list(session.scalars(open_ones.order_by(Incident.cause)))


def seen(store: Store, process: str, ago: timedelta) -> None:
    with store.transaction() as session:
        beats.beat(session, process, process.partition("/")[2])
        session.get_one(Beat, process).at = now() - ago


def watch(store: Store) -> None:
    with store.transaction() as session:
        beats.watch(session, now())


def test_a_process_that_died_is_missed_until_it_lives_again(store: Store) -> None:
    seen(store, "a/sender", timedelta(minutes=4))
    seen(store, "b/sender", timedelta(seconds=10))
    watch(store)
    assert causes(store) == ["process:a/sender"]
    seen(store, "a/sender", timedelta(0))
    watch(store)
    assert causes(store) == []


@pytest.mark.parametrize("gone", ["for a day", "in order"])
def test_who_is_gone_for_good_is_not_missed_for_ever(store: Store, gone: str) -> None:
    seen(store, "a/worker-1", timedelta(minutes=4))
    watch(store)
    assert causes(store) == ["process:a/worker-1"]
    if gone == "in order":
        with store.transaction() as session:
            session.delete(session.get_one(Beat, "a/worker-1"))
    else:
        seen(store, "a/worker-1", timedelta(days=2))
    watch(store)
    assert causes(store) == []
    with store.reading() as session:
        assert session.scalars(select(Beat)).all() == []


def test_a_process_beats_while_it_runs_and_takes_its_row_away(store: Store) -> None:
    def rows() -> list[str]:
        with store.reading() as session:
            return list(session.scalars(select(Beat.kind)))

    with beats.beating(store, "sender"):
        wait_until(lambda: rows() == ["sender"], "the first beat")
    assert rows() == []


@pytest.mark.parametrize(
    ("kind", "minutes", "late"),
    [("answer", 11, True), ("notice", 11, False), ("answer", 1, False)],
)
def test_an_answer_that_nobody_sends_is_an_incident(
    any_context: Context, kind: str, minutes: int, late: bool
) -> None:
    store = any_context.store
    with store.transaction() as session:
        outbox.post(session, key="k", to=FARMER, text="hello", kind=kind)
        session.scalars(select(Message)).one().created_at = now() - timedelta(minutes=minutes)
    sweeps_messages.watch(any_context)
    assert causes(store) == ([beats.MESSAGES] if late else [])
    with store.transaction() as session:
        session.scalars(select(Message)).one().state = "sent"
    sweeps_messages.watch(any_context)
    assert causes(store) == []


def test_the_sender_misses_the_scheduler(context: Context) -> None:
    seen(context.store, "a/scheduler", timedelta(minutes=4))
    Sender(context, *providers.networks(context.settings))._sweep()
    assert causes(context.store) == ["process:a/scheduler"]


def test_an_incident_of_one_machine_is_not_closed_by_another(
    any_context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = any_context.store
    other = "spool:failed:another"
    with store.transaction() as session:
        incidents.open_(session, other, "3 callbacks could not be taken in")
        incidents.open_(session, sweeps_messages.SPOOL + "2", "a name that begins with ours")
    for _ in range(3):
        sweeps_messages.watch(any_context)
    assert causes(store) == sorted([other, sweeps_messages.SPOOL + "2"])
    with store.reading() as session:
        assert len(session.scalars(select(Incident)).all()) == 2


# What the process says of itself


def test_it_takes_traffic_while_a_callback_can_be_kept(client: FlaskClient) -> None:
    context: Context = client.application.extensions["leafline"]
    context.redis.connection_pool.connection_kwargs["path"] = "/nowhere"
    context.redis.connection_pool.disconnect()
    assert client.get("/health/traffic").status_code == 200
    assert client.get("/health/whole").status_code == 503
    assert client.get("/health/traffic", environ_overrides={"leafline.unready": True}).json == {
        "status": "failing", "checks": {"keeps": True, "running": False},
    }  # fmt: skip


def test_it_takes_traffic_without_a_spool_as_long_as_the_store_is_there(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    context: Context = client.application.extensions["leafline"]
    spool = context.settings.spool
    spool.parent.mkdir(parents=True, exist_ok=True)
    spool.write_bytes(b"a file where the folder should be")
    assert client.get("/health/traffic").status_code == 200
    answer = client.get("/health/whole")
    assert (answer.status_code, answer.json and answer.json["checks"]["spool"]) == (503, False)
    monkeypatch.setattr("gateway.health._store_ready", lambda _context: False)
    assert client.get("/health/traffic").status_code == 503


def test_a_missing_process_makes_the_house_less_than_whole(client: FlaskClient) -> None:
    context: Context = client.application.extensions["leafline"]
    assert client.get("/health/whole").status_code == 200
    seen(context.store, "a/sender", timedelta(minutes=4))
    answer = client.get("/health/whole")
    assert (answer.status_code, answer.json and answer.json["checks"]["processes"]) == (503, False)
    assert client.get("/health/traffic").status_code == 200
    finding = check_processes(context.settings)
    assert (finding.state, "a/sender" in finding.text) == ("fail", True)
