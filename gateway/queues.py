"""The RQ queues: jobs as JSON, and none but ours.

A queue in Redis is a list of names of functions. Whoever can write there must not choose what a
worker runs, so a worker takes a name from the list here or none, and nothing else that RQ would do
for a job: no call-backs, no web hooks, no jobs that follow or repeat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

log = logging.getLogger(__name__)

PHOTOS, MEDIA = "photos", "media"
FUNCTIONS = {PHOTOS: "gateway.jobs.photos.diagnose", MEDIA: "gateway.jobs.media.fetch"}
LONGEST = 120
"""Seconds of any job, whatever its entry in Redis says."""


class JobRefused(Exception):
    """What stands in Redis is no job of ours. Nothing of it was imported or run."""


class OurJob(Job):
    """A job whose function is on the list, called with one number."""

    def restore(self, raw_data: Any) -> Any:
        super().restore(raw_data)
        self._success_callback_name = self._failure_callback_name = None
        self._stopped_callback_name = None
        self.webhooks = []
        self._dependency_ids = []
        self.retries_left = self.repeats_left = None
        if not self.timeout or not 0 < self.timeout <= LONGEST:
            self.timeout = LONGEST

    @property
    def func(self) -> Callable[..., Any] | None:
        """Raises: JobRefused."""
        if (
            self.func_name != FUNCTIONS.get(self.origin)
            or self.instance is not None
            or self.kwargs
            or len(self.args) != 1
            or type(self.args[0]) is not int
        ):
            log.error("job_refused queue=%s", self.origin)
            raise JobRefused(self.origin)
        return cast("Callable[..., Any]", super().func)


def queue(name: str, connection: Redis) -> Queue:
    return Queue(name, connection=connection, job_class=OurJob, serializer=JSONSerializer)
