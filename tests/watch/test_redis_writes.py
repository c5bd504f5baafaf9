"""A Redis that answers pings and takes nothing: ready, the doctor and an incident say so."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import redis
from flask.testing import FlaskClient
from sqlalchemy import select

from gateway.context import Context
from gateway.jobs import sweeps_messages
from gateway.running.doctor import check_redis
from gateway.store.models import Incident
from gateway.watch import redis_writes
from rig.house import wait_until
from rig.servers import redis_server


@contextmanager
def full(client: redis.Redis) -> Iterator[str]:
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", "1")
    try:
        yield "maxmemory"
    finally:
        client.config_set("maxmemory", "0")


@contextmanager
def replica(client: redis.Redis) -> Iterator[str]:
    client.replicaof("127.0.0.1", "1")
    try:
        yield "read-only replica"
    finally:
        client.replicaof("NO", "ONE")


@contextmanager
def alone(client: redis.Redis) -> Iterator[str]:
    client.config_set("min-replicas-to-write", "1")
    try:
        yield "replicas"
    finally:
        client.config_set("min-replicas-to-write", "0")


@pytest.mark.parametrize("trouble", [full, replica, alone])
def test_it_is_not_ready_and_somebody_is_told(
    client: FlaskClient, trouble: Callable[[redis.Redis], AbstractContextManager[str]]
) -> None:
    context: Context = client.application.extensions["leafline"]
    with trouble(context.redis) as word:
        assert context.redis.ping()
        assert word in redis_writes.refusal(context.redis)
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.get_json()["checks"]["redis"]) == (503, False)
        finding = check_redis(context.settings)
        assert finding.state == "fail"
        assert word in finding.text
        sweeps_messages.watch(context)
        assert open_incidents(context) == [redis_writes.CAUSE]
    assert client.get("/health/ready").status_code == 200
    assert check_redis(context.settings).state != "fail"
    assert sweeps_messages.watch(context) == 1
    assert open_incidents(context) == []


def open_incidents(context: Context) -> list[str]:
    with context.store.reading() as session:
        return list(session.scalars(select(Incident.cause).where(Incident.closed_at.is_(None))))


def test_a_redis_whose_disk_is_full() -> None:
    """It goes on answering, and takes nothing after a snapshot that failed."""
    with redis_server() as url, redis.Redis.from_url(url) as client:
        client.config_set("save", "3600 1")
        client.set("a", "b")
        folder = client.config_get("dir")["dir"]
        shutil.rmtree(folder)  # as good as full: no file can be made
        try:
            client.bgsave()
            wait_until(
                lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err",
                "the failure",
                30,
            )
            assert client.get("a") == b"b"
            assert "disk" in redis_writes.refusal(client)
        finally:
            client.config_set("save", "")  # else it would not end without saving


def test_a_redis_that_is_away_is_no_incident(context: Context) -> None:
    context.redis.connection_pool.connection_kwargs["path"] = "/nowhere"
    context.redis.connection_pool.disconnect()
    sweeps_messages.watch(context)
    assert open_incidents(context) == []
