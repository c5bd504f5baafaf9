"""The short run of benchmarks/chaos.py: the same storm over the same house, for a minute."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.settings import ROOT

pytestmark = pytest.mark.whole

LOAD = {"photos": 100, "sessions": 50, "texts": 50, "spread": 30, "seed": 7}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_nothing_is_lost_doubled_or_stuck(store: str) -> None:
    options = [word for name, value in LOAD.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "benchmarks.chaos", "--store", store, "--log", *options]
    storm = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=880, check=False
    )
    assert storm.returncode == 0, storm.stdout + storm.stderr[-20_000:]
