import threading

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

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
    start, opened, refused = threading.Barrier(6), [], []

    def work() -> None:
        start.wait()
        try:
            opened.append(open_(store, "channel:no_credit"))
        except IntegrityError as error:
            refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened.count(True) == 1
    assert len(opened) + len(refused) == 6


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
