import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from gateway.store import Store
from gateway.store.base import now
from gateway.store.models import Incident
from gateway.watch import incidents
from gateway.watch.incidents import TELL_EVERY


def open_(store: Store, cause: str, detail: str = "") -> bool:
    with store.transaction() as session:
        return incidents.open_(session, cause, detail)


def test_one_cause_is_one_open_incident(store: Store) -> None:
    assert open_(store, "channel:no_credit")
    assert not open_(store, "channel:no_credit", "still")
    assert open_(store, "channel:wrong_key")
    with store.reading() as session:
        kept = {row.cause: row.count for row in session.scalars(select(Incident))}
    assert kept == {"channel:no_credit": 2, "channel:wrong_key": 1}


def test_two_that_open_it_at_once_open_one(store: Store) -> None:
    start = threading.Barrier(6)

    def work(_: int) -> bool:
        start.wait()
        return open_(store, "channel:no_credit")

    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(work, range(6)))
    assert opened.count(True) == 1


def test_closing_goes_by_the_beginning_of_the_cause(store: Store) -> None:
    for cause in ("channel:no_credit", "channel:100%", "channelling"):
        open_(store, cause)
    with store.transaction() as session:
        assert incidents.close(session, "channel:") == 2
        assert incidents.close(session, "channel:") == 0
    assert open_(store, "channel:no_credit")  # a new one after the old


def test_the_operator_is_told_at_most_once_an_hour(store: Store) -> None:
    open_(store, "channel:no_credit")
    with store.transaction() as session:
        [incident] = incidents.to_tell(session, now())
        incident.told_at = now()
    with store.transaction() as session:
        assert incidents.to_tell(session, now()) == []
        assert len(incidents.to_tell(session, now() + TELL_EVERY)) == 1
        incidents.close(session, "channel:")
        assert incidents.to_tell(session, now() + TELL_EVERY) == []


def test_what_is_said_of_a_whole_kind_opens_and_closes(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    for cause in ("budget:service", "budget:100%:a", "budgets"):
        open_(store, cause)
    with store.transaction() as session:
        details = {"budget:service": "7 wait", "budget:kiosk:1": "2 wait"}
        assert incidents.mark_all(session, "budget:", details) == 1
    with store.reading() as session:
        query = select(Incident.cause, Incident.detail).where(Incident.closed_at.is_(None))
        assert {row.cause: row.detail for row in session.execute(query)} == details | {
            "budgets": ""
        }
    assert "incident closed: budget:100%:a" in caplog.text
    with store.transaction() as session:
        assert incidents.mark_all(session, "budget:", {}) == 2
