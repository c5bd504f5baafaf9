"""After the storm: time passes until nothing is under way."""

from __future__ import annotations

import time

from rig.storm.evidence import unfinished
from rig.storm.site import Site

ROUNDS = 6
PASS_MINUTES = 30
REST_SECONDS = 45.0


def come_to_rest(site: Site) -> list[float]:
    """Let half an hour pass, again and again, until nothing is under way; seconds of each stop."""
    stops: list[float] = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        site.house.stop(seconds=60)
        stops.append(time.monotonic() - began)
        site.let_time_pass(PASS_MINUTES)
        site.start()
        until = time.monotonic() + REST_SECONDS
        while (left := unfinished(site)) and time.monotonic() < until:
            time.sleep(0.5)
        if not left:
            break
    # A report comes a moment after its message.
    while site.journal()["pending"]:
        time.sleep(0.2)
    time.sleep(2)
    return stops
