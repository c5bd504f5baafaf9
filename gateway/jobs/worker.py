"""`leafline worker`: takes jobs from one queue, one after the other, in this process."""

from __future__ import annotations

from typing import Any

import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from gateway import queues
from gateway.context import Context

_context: Context | None = None


def context_of_worker() -> Context:
    """The context of this process. RQ calls jobs by name, so it cannot be handed in."""
    if _context is None:
        raise RuntimeError("a job needs a worker started by `leafline worker`")
    return _context


def sit_down(context: Context) -> None:
    """Give the jobs of this process their context."""
    global _context
    _context = context


class QuietWorker(SimpleWorker):
    """Keeps in Redis that a job failed and at what: the text of an error may be personal. The log,
    which masks it, has the whole."""

    def handle_job_failure(
        self, job: Any, queue: Any, started_job_registry: Any = None, exc_string: str = "",
        execution: Any = None,
    ) -> Any:  # fmt: skip
        kind = (exc_string.strip().splitlines() or ["?"])[-1].partition(":")[0]
        return super().handle_job_failure(job, queue, started_job_registry, kind, execution)


def worker_of(queue: Queue) -> QuietWorker:
    return QuietWorker(
        [queue],
        connection=queue.connection,
        job_class=queues.OurJob,
        serializer=JSONSerializer,
    )


def run(context: Context, name: str = queues.PHOTOS) -> None:
    """Work on the queue `name` until SIGTERM or SIGINT; the job in hand is finished first.

    One queue only: RQ pops safely (no job lost with a killed worker) from one queue, not from
    several. In-process: the model is loaded once, and its session must be made in the process
    that uses it.

    Raises: ModelError when the model cannot be loaded.
    """
    sit_down(context)
    if name == queues.PHOTOS:
        context.model.self_check()
    connection = redis.Redis.from_url(context.settings.queue_url)
    worker_of(queues.queue(name, connection)).work(logging_level="WARNING")
