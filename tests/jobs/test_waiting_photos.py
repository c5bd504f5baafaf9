"""Photos that nobody judges: lost by Redis, dropped by a dead worker, or deadly to each worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from redis.exceptions import ConnectionError as RedisGone
from rq import SimpleWorker
from rq.executions import Execution
from rq.serializers import JSONSerializer
from sqlalchemy import select

from gateway.cases import intake, queue
from gateway.cases.queue import Standing
from gateway.context import Context
from gateway.jobs import sweeps
from gateway.jobs.sweeps import Step, Waiting
from gateway.jobs.worker import QuietWorker, sit_down
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Message, Photo
from gateway.watch import incidents
from rig.things import FARMER, kiosk, photo

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NOBODY = Standing(frozenset(), frozenset())
HELD = Standing(frozenset({1}), frozenset())
FAILED = Standing(frozenset(), frozenset({1}))
MINUTE = timedelta(minutes=1)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("received", "attempts", "failed", "standing", "step"),
    [
        (2, 0, None, NOBODY, "leave"),
        (6, 0, None, NOBODY, "queue"),
        (6, 0, None, HELD, "leave"),
        (3600, 0, None, HELD, "leave"),
        (90_000, 0, None, HELD, "give_up"),
        (60, 0, None, FAILED, "count"),
        (60, 1, 30, FAILED, "count"),
        (60, 2, 30, FAILED, "give_up"),
        (60, 1, 4, NOBODY, "leave"),  # 5 s of back-off at least
        (60, 1, 11, NOBODY, "queue"),  # 10 s at most
        (60, 2, 9, NOBODY, "leave"),
        (60, 2, 21, NOBODY, "queue"),
    ],
)
@pytest.mark.parametrize("jitter", [0.0, 0.999])
def test_the_next_step(
    received: float,
    attempts: int,
    failed: float | None,
    standing: Standing,
    step: Step,
    jitter: float,
) -> None:
    waiting = Waiting(1, attempts, None if failed is None else ago(failed), ago(received))
    assert sweeps.next_step(waiting, standing, NOON, jitter) == step


def accept(context: Context, shade: int = 120, phone: str = FARMER) -> int:
    """Take a photo in a minute ago, and leave it there; returns its id."""
    keeper, _ = kiosk(context.store, f"Kiosk {shade} {phone}")
    upload = intake.Upload(
        photo(shade), f"kiosk:{keeper.id}", phone, crop="maize", kiosk_id=keeper.id
    )
    with time_machine.travel(now() - MINUTE, tick=False):
        return intake.accept(context.store, context.photos, upload).photo_id


def begin(context: Context, photo_id: int) -> None:
    """Put a job into the hands of a worker that is never heard of again."""
    queue.enqueue(context.photo_queue, photo_id)
    job = context.photo_queue.fetch_job(f"photo-{photo_id}")
    assert job is not None
    worker = SimpleWorker(
        [context.photo_queue], connection=context.redis, serializer=JSONSerializer
    )
    context.redis.lmove(context.photo_queue.key, context.photo_queue.intermediate_queue_key)
    worker.prepare_execution(job)
    worker.prepare_job_execution(job, remove_from_intermediate_queue=True)


def on_queue(context: Context) -> list[str]:
    return list(context.photo_queue.job_ids)


def test_a_photo_that_redis_lost_is_queued_again_and_no_worse_for_it(any_context: Context) -> None:
    photo_id = accept(any_context)
    for _ in range(5):
        assert sweeps.waiting_photos(any_context) == 1
        assert on_queue(any_context) == [f"photo-{photo_id}"]
        any_context.redis.flushall()
    with any_context.store.reading() as session:
        assert session.get_one(Photo, photo_id).attempts == 0


def test_a_photo_that_is_queued_is_left_there(context: Context) -> None:
    photo_id = accept(context)
    queue.enqueue(context.photo_queue, photo_id)
    assert sweeps.waiting_photos(context) == 0
    assert on_queue(context) == [f"photo-{photo_id}"]


def test_a_photo_in_the_hands_of_a_worker_is_left_there(context: Context) -> None:
    begin(context, accept(context))
    assert sweeps.waiting_photos(context) == 0
    assert on_queue(context) == []


def test_a_photo_whose_worker_died_is_tried_again_after_a_while(context: Context) -> None:
    photo_id = accept(context)
    begin(context, photo_id)
    with time_machine.travel(now() + timedelta(seconds=20)):
        assert sweeps.waiting_photos(context) == 0  # counted, not yet queued
        assert on_queue(context) == []
    with time_machine.travel(now() + timedelta(seconds=31)):
        assert sweeps.waiting_photos(context) == 1
        assert on_queue(context) == [f"photo-{photo_id}"]
    with context.store.reading() as session:
        assert session.get_one(Photo, photo_id).attempts == 1


def test_a_photo_popped_by_a_worker_that_died_before_it_began(context: Context) -> None:
    photo_id = accept(context)
    queue.enqueue(context.photo_queue, photo_id)
    context.redis.lmove(context.photo_queue.key, context.photo_queue.intermediate_queue_key)
    assert sweeps.waiting_photos(context) == 0
    with time_machine.travel(now() + timedelta(seconds=20)):
        assert sweeps.waiting_photos(context) == 1
    assert on_queue(context) == [f"photo-{photo_id}"]
    assert context.redis.llen(context.photo_queue.intermediate_queue_key) == 0


def test_a_photo_that_kills_each_worker_goes_to_a_person_in_the_end(any_context: Context) -> None:
    photo_id = accept(any_context)
    moment = now()
    for _ in range(sweeps.MAX_ATTEMPTS):
        with time_machine.travel(moment, tick=False):
            begin(any_context, photo_id)
        moment += timedelta(seconds=20)
        with time_machine.travel(moment, tick=False):
            sweeps.waiting_photos(any_context)
        moment += MINUTE
    with any_context.store.reading() as session:
        case = session.scalars(select(Case)).one()
        assert case.state == "escalated"
        assert session.scalars(select(Escalation)).one().reason == "machine_failed"
        assert session.scalars(select(Message.template)).all() == ["no_officer"]
    assert sweeps.waiting_photos(any_context) == 0
    assert on_queue(any_context) == []


def test_one_that_cannot_be_judged_leaves_the_others_alone(context: Context) -> None:
    bad, good = accept(context, 100), accept(context, 101, "+250788000002")
    with context.store.transaction() as session:
        session.get_one(Photo, bad).attempts = sweeps.MAX_ATTEMPTS - 1
    begin(context, bad)
    with time_machine.travel(now() + timedelta(seconds=20)):
        assert sweeps.waiting_photos(context) == 2
    assert on_queue(context) == [f"photo-{good}"]


def test_the_incident_of_a_photo_is_closed_when_none_waits_any_more(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_id = accept(context)

    def faulty(_context: Context, _photo: Waiting) -> bool:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(sweeps, "_queue_again", faulty)
    assert sweeps.waiting_photos(context) == 0
    with context.store.transaction() as session:
        assert incidents.is_open(session, "sweep:waiting_photos")
        session.get_one(Photo, photo_id).diagnosed_at = now()
    assert sweeps.waiting_photos(context) == 0
    with context.store.reading() as session:
        assert not incidents.is_open(session, "sweep:waiting_photos")


def test_two_schedulers_count_one_failure_once(context: Context) -> None:
    photo_id = accept(context)
    waiting = Waiting(photo_id, 0, None, now() - MINUTE)
    for _ in range(2):
        sweeps._count(context, waiting, now())
    with context.store.reading() as session:
        assert session.get_one(Photo, photo_id).attempts == 1


def test_many_schedulers_at_once_queue_a_photo_once(any_context: Context) -> None:
    photo_id = accept(any_context)
    together(8, lambda: sweeps.waiting_photos(any_context))
    assert on_queue(any_context) == [f"photo-{photo_id}"]


def test_without_redis_nothing_is_given_up(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:

    accept(context)

    def gone(*_args: object) -> Standing:
        raise RedisGone

    monkeypatch.setattr(queue, "standing", gone)
    with pytest.raises(RedisGone):
        sweeps.waiting_photos(context)


def together(count: int, act: Callable[[], object]) -> None:
    ready = threading.Barrier(count)

    def run() -> None:
        ready.wait(30)
        act()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_the_margin_that_rq_gives_is_known(context: Context) -> None:
    """`standing` reads the beginning of a job from the moment at which RQ lets it expire."""
    photo_id = accept(context)
    begin(context, photo_id)
    registry = context.photo_queue.started_job_registry
    [(entry, score)] = context.redis.zrange(registry.key, 0, -1, withscores=True)
    execution = Execution.from_composite_key(entry.decode(), context.redis)
    execution.refresh()
    margin = score - execution.created_at.timestamp() - queue.JOB_TIMEOUT
    assert abs(margin - queue.RQ_MARGIN) < 2


def test_what_a_failed_job_leaves_in_redis_tells_of_nobody(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_id = accept(context)

    def stumble(*_args: object) -> None:
        raise ValueError(f"no way to judge the photo of {FARMER}")

    monkeypatch.setattr("gateway.jobs.photos._diagnose", stumble)
    queue.enqueue(context.photo_queue, photo_id)
    sit_down(context)
    QuietWorker([context.photo_queue], connection=context.redis, serializer=JSONSerializer).work(
        burst=True, logging_level="CRITICAL"
    )
    job = context.photo_queue.fetch_job(f"photo-{photo_id}")
    assert job is not None
    assert job.is_failed
    result = job.latest_result()
    assert result is not None
    assert result.exc_string == "ValueError"
