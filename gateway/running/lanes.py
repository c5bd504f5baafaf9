"""Threads of the web process, in lanes: no door waits for the threads of a slower one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waitress.task import ThreadedTaskDispatcher

from gateway import channels

USSD, CALLBACKS, HEALTH, PICTURES, PAGES = "ussd", "callbacks", "health", "pictures", "pages"
STRANGERS, REFUSALS = "strangers", "refusals"

CALL_THREADS = 4
"""For USSD, and again for the other callbacks: each waits for the store for a second or three at
the most, and a vendor's calls come in tens, not in hundreds."""

STRANGERS_THREADS = 3
"""For photos of which nobody knows whose they are: two are judged, the third is told to wait."""

_PROVIDERS = "|".join(name.replace("_", "-") for name in channels.PROVIDERS)
_LANES = (
    (USSD, re.compile(rf"/({_PROVIDERS})/[^/]*/ussd/?")),
    (CALLBACKS, re.compile(rf"/({_PROVIDERS})(/.*)?", re.S)),
    (HEALTH, re.compile(r"/health(/.*)?", re.S)),
    (STRANGERS, re.compile(r"/api/predict(/.*)?", re.S)),
    (PICTURES, re.compile(r"/(api/photos|mms|mm7)(/.*)?", re.S)),
)


def lane_of(path: str) -> str:
    """The lane of a decoded path, read as the application reads it."""
    plain = "/" + path.lstrip("/")
    return next((lane for lane, shape in _LANES if shape.fullmatch(plain)), PAGES)


def widths(threads: int) -> dict[str, int]:
    """Threads of each lane; `threads` are for pictures and pages together."""
    pictures = max(1, threads // 2)
    return {
        USSD: CALL_THREADS,
        CALLBACKS: CALL_THREADS,
        HEALTH: 1,
        REFUSALS: 1,
        STRANGERS: STRANGERS_THREADS,
        PICTURES: pictures,
        PAGES: max(1, threads - pictures),
    }


@dataclass
class Lanes:
    """waitress's dispatcher, once for each lane."""

    by_name: Mapping[str, ThreadedTaskDispatcher]

    @classmethod
    def open(cls, threads: int) -> Lanes:
        lanes = {}
        for name, width in widths(threads).items():
            lanes[name] = ThreadedTaskDispatcher()
            lanes[name].set_thread_count(width)
        return cls(lanes)

    def add_task(self, channel: Any) -> None:
        """Queue a connection whose next request is whole, or refused."""
        request = channel.requests[0]
        lane = REFUSALS if request.error else lane_of(request.path)
        self.by_name[lane].add_task(channel)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        return all(lane.shutdown(cancel_pending, timeout) for lane in self.by_name.values())
