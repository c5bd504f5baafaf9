"""The short run of benchmarks/siege.py: every attack at once, for some seconds. Counts decide."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.settings import ROOT

pytestmark = pytest.mark.whole

LOAD = {"seconds": 6, "photos": 6, "sessions": 6, "texts": 4, "side": 1500, "drips": 60, "hands": 1}


@pytest.mark.timeout(600)
def test_people_are_answered_and_money_is_kept_while_everything_attacks() -> None:
    options = [word for name, value in LOAD.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "benchmarks.siege", "--log", *options]
    siege = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=580, check=False
    )
    assert siege.returncode == 0, siege.stdout + siege.stderr[-20_000:]
