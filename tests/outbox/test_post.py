import threading

import pytest
import redis as redis_py
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import select

from gateway import outbox
from gateway.context import Context
from gateway.outbox import wake
from gateway.store import Store
from gateway.store.models import Message

from .conftest import PHONE, post

ONE = {"key": "advice:1", "to": PHONE, "text": "hello", "kind": "answer"}


class Regret(Exception):
    """Why a transaction rolls back."""


def post_and_regret(store: Store) -> None:
    with store.transaction() as session:
        outbox.post(session, **ONE)  # type: ignore[arg-type]
        raise Regret


def test_a_message_is_posted_with_the_priority_of_its_kind(store: Store) -> None:
    post(store, key="a", kind="reminder")
    post(store, key="b", kind="escalation")
    post(store, key="c", kind="reminder", priority=2)
    with store.reading() as session:
        rows = session.scalars(select(Message).order_by(Message.priority))
        assert [row.key for row in rows] == ["b", "c", "a"]
        assert outbox.depth(session) == 3


def test_one_key_is_one_message_however_often_and_however_parallel(store: Store) -> None:
    made: list[bool] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        with store.transaction() as session:
            made.append(outbox.post(session, **ONE))  # type: ignore[arg-type]

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False] * 7 + [True]


def test_a_message_goes_with_its_cause(store: Store) -> None:
    with pytest.raises(Regret):
        post_and_regret(store)
    with store.reading() as session:
        assert outbox.depth(session) == 0


def test_an_unknown_kind_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="advert"), store.transaction() as session:
        outbox.post(session, **(ONE | {"kind": "advert"}))  # type: ignore[arg-type]


def test_numbers_and_texts_are_sealed(store: Store) -> None:
    post(store, text="very private")
    with store.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT address, text, address_digest FROM message").one()
    assert b"788000001" not in bytes(row[0])
    assert b"private" not in bytes(row[1])
    assert "788000001" not in row[2]


def test_a_commit_wakes_a_sender_and_a_rollback_does_not(context: Context) -> None:
    post(context.store)
    assert wake.wait(context.redis, 0.5)
    with pytest.raises(Regret):
        post_and_regret(context.store)
    assert context.redis.llen(wake.KEY) == 0


def test_a_post_without_redis_is_a_post(store: Store) -> None:
    wake.install(
        store, redis_py.Redis(unix_socket_path="/nowhere/redis.sock", retry=Retry(NoBackoff(), 0))
    )
    post(store)
    with store.reading() as session:
        assert outbox.depth(session) == 1
