"""Whoever can write to Redis chooses nothing of what a worker runs."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from rq import Callback, Queue, SimpleWorker, Webhook
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from gateway import queues
from gateway.context import Context
from gateway.jobs import media, photos, worker
from rig.mobile import Listener, serving

NAMES = list(queues.FUNCTIONS)


@pytest.fixture
def context(client: FlaskClient) -> Iterator[Context]:
    found: Context = client.application.extensions["leafline"]
    worker.sit_down(found)
    found.redis.flushdb()
    yield found
    found.redis.flushdb()


def planted(context: Context, name: str, function: Any, *given: Any, **how: Any) -> Job:
    """A job put into Redis by somebody who knows RQ."""
    theirs = Queue(name, connection=context.redis, serializer=JSONSerializer)
    return theirs.enqueue(function, *given, **how)


def work(context: Context, name: str) -> None:
    worker.worker_of(queues.queue(name, context.redis)).work(burst=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ours", [False, True], ids=["RQ as it comes", "our worker"])
def test_a_function_that_is_not_ours_is_not_run(
    context: Context, tmp_path: Path, name: str, ours: bool, caplog: pytest.LogCaptureFixture
) -> None:
    made = tmp_path / "made"
    job = planted(context, name, "os.mkdir", str(made))
    if ours:
        work(context, name)
    else:
        theirs = Queue(name, connection=context.redis, serializer=JSONSerializer)
        SimpleWorker([theirs], connection=context.redis, serializer=JSONSerializer).work(burst=True)
    assert made.exists() != ours
    if ours:
        assert job.get_status() is JobStatus.FAILED
        assert f"job_refused queue={name}" in caplog.text


@pytest.mark.parametrize(
    ("function", "given", "named"),
    [
        ("gateway.jobs.media.fetch.__globals__", (1,), {}),
        ("gateway.jobs.media.take", (1,), {}),
        ("gateway.jobs.photos.diagnose", (1,), {}),
        ("gateway.jobs.media.fetch ", (1,), {}),
        ("builtins.exec", ("raise SystemExit",), {}),
        ("tests.no_such_module.f", (1,), {}),
        ("gateway.jobs.media.fetch", (), {}),
        ("gateway.jobs.media.fetch", (1, 2), {}),
        ("gateway.jobs.media.fetch", ("1",), {}),
        ("gateway.jobs.media.fetch", (True,), {}),
        ("gateway.jobs.media.fetch", ({"ident": 1},), {}),
        ("gateway.jobs.media.fetch", (), {"media_id": 1}),
    ],
)
def test_nothing_but_our_function_with_a_number_is_run(
    context: Context, function: str, given: tuple[Any, ...], named: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for module, name in ((media, "fetch"), (photos, "diagnose")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("was run"))
    job = planted(context, queues.MEDIA, function, args=given, kwargs=named)
    work(context, queues.MEDIA)
    assert job.get_status() is JobStatus.FAILED


def test_our_own_jobs_are_run(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []
    monkeypatch.setattr(media, "fetch", ran.append)
    monkeypatch.setattr(photos, "diagnose", ran.append)
    for name, function in queues.FUNCTIONS.items():
        queues.queue(name, context.redis).enqueue(function, 7)
        work(context, name)
    assert ran == [7, 7]


class Planted:
    """Makes a folder where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("field", ["data", "meta", "result"])
@pytest.mark.parametrize("packed", [True, False])
def test_nothing_is_unpickled(context: Context, tmp_path: Path, field: str, packed: bool) -> None:
    made = tmp_path / "made"
    job = planted(context, queues.PHOTOS, queues.FUNCTIONS[queues.PHOTOS], 1)
    data = pickle.dumps(Planted(made))
    context.redis.hset(job.key, field, zlib.compress(data) if packed else data)
    queues.queue(queues.PHOTOS, context.redis).fetch_job(job.id)
    work(context, queues.PHOTOS)
    assert not made.exists()


@pytest.mark.parametrize("ends_well", [True, False])
def test_nothing_follows_a_job(
    context: Context, monkeypatch: pytest.MonkeyPatch, ends_well: bool
) -> None:
    """Call-backs, web hooks and repeats are RQ's own way to run and to call what a job names."""
    ran: list[int] = []

    def run(number: int) -> None:
        ran.append(number)
        if not ends_well:
            raise RuntimeError("here")

    monkeypatch.setattr(media, "fetch", run)
    heard = Listener()
    with serving(heard.app) as url:
        job = planted(
            context, queues.MEDIA, queues.FUNCTIONS[queues.MEDIA], 7,
            on_success=Callback("tests.no_such_module.f"),
            on_failure=Callback("tests.no_such_module.f"),
            webhooks=[Webhook(f"{url}/heard", "finished"), Webhook(f"{url}/heard", "failed")],
        )  # fmt: skip
        work(context, queues.MEDIA)
    assert ran == [7]
    assert heard.heard.empty()
    assert job.get_status() is (JobStatus.FINISHED if ends_well else JobStatus.FAILED)


def test_a_job_of_any_length_ends(context: Context) -> None:
    for timeout in (-1, 10**9):
        job = planted(context, queues.MEDIA, "x.y", 1, job_timeout=timeout)
        found = queues.queue(queues.MEDIA, context.redis).fetch_job(job.id)
        assert found is not None
        assert found.timeout == queues.LONGEST
