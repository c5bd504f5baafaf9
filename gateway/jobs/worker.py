"""`leafline worker`: takes photos from the queue, one after the other, in this process."""

from __future__ import annotations

import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from gateway.context import Context
from gateway.jobs import photos


def run(context: Context) -> None:
    """Work until SIGTERM or SIGINT; the photo in hand is finished first.

    One queue only: RQ pops safely (no job lost with a killed worker) from one queue, not from
    several. In-process: the model is loaded once, and its session must be made in the process
    that uses it.

    Raises: ModelError when the model cannot be loaded.
    """
    photos.sit_down(context)
    connection = redis.Redis.from_url(context.settings.queue_url)
    queue = Queue("photos", connection=connection, serializer=JSONSerializer)
    SimpleWorker([queue], connection=connection, serializer=JSONSerializer).work(
        logging_level="WARNING"
    )
