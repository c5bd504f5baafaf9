"""For processes whose PYTHONPATH names this folder: their wall clock is off by what a file says.

The monotonic clock goes on as it does on a machine whose clock is set. (libfaketime would not do:
with it each `time.sleep` of Python 3.11 and later fails with EINVAL.)
"""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

OFFSET = Path(os.environ["CLOCK_OFFSET_FILE"])
"""Seconds, as text."""
LOOK_EVERY = 0.05


def _follow() -> None:
    global off
    while True:
        wanted = float(OFFSET.read_text())
        clock.shift(timedelta(seconds=wanted - off))
        off = wanted
        time.sleep(LOOK_EVERY)


def _begin() -> None:
    threading.Thread(target=_follow, name="clock", daemon=True).start()


off = 0.0
clock = time_machine.travel(datetime.now(UTC), tick=True).start()
os.register_at_fork(after_in_child=_begin)
_begin()
