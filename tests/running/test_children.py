"""Processes that start tethered, are forgiven slowly, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.running.children import LONGEST_BACKOFF, Child, Part, backoff, how_it_ended

SLEEPER = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def exists(pid: int) -> bool:
    """Whether the process lives; a zombie that nobody has reaped yet does not count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_back_off_doubles_up_to_a_bound() -> None:
    assert [backoff(n) for n in (1, 2, 3, 4, 5, 6, 99)] == [1, 2, 4, 8, 16, 30, LONGEST_BACKOFF]


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit 0"), (3, "exit 3"), (-9, "killed by SIGKILL"), (-99, "signal 99")]
)
def test_an_end_is_told_in_words(code: int, words: str) -> None:
    assert words in how_it_ended(code)


def test_a_crash_sets_the_next_start() -> None:
    child = Child(Part("brief", (sys.executable, "-c", "raise SystemExit(3)")))
    delays = []
    for _ in range(3):
        child.start()
        assert child.process is not None
        child.process.wait(20)
        now = time.monotonic()
        assert child.reap(now) == 3
        assert child.reap(now) is None
        delays.append(child.start_again_at - now)
    assert delays == pytest.approx([1, 2, 4])


def test_it_stops_when_asked_and_takes_its_own_children_along() -> None:
    nested = "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]])"
    child = Child(Part("nest", (sys.executable, "-c", nested, *SLEEPER[1:])))
    child.start()
    assert child.process is not None
    group = child.process.pid
    members = lambda: subprocess.run(  # noqa: E731
        ["pgrep", "-g", str(group)], capture_output=True, text=True, check=False
    ).stdout.split()
    wait_until(lambda: len(members()) == 2)
    child.ask_to_stop()
    child.process.wait(20)
    assert child.reap(time.monotonic()) == -signal.SIGTERM
    wait_until(lambda: not any(exists(int(pid)) for pid in members()))


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
def test_a_child_ends_with_a_parent_that_is_killed() -> None:
    program = (
        "from gateway.running.children import Child, Part\n"
        "import sys, time\n"
        "child = Child(Part('sleeper', tuple(sys.argv[1:])))\n"
        "child.start(); print(child.process.pid, flush=True); time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, *SLEEPER], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
        assert parent.stdout.readline() == "up\n"  # the sleeper shares it: tethered by now
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(20)
    wait_until(lambda: not exists(pid))
