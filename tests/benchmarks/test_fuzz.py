"""The fuzzers start, and some hundred executions find nothing."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_pictures(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="there is none for this Python or machine")
    command = ("-m", "benchmarks.fuzz.pictures", "--runs", "400", "--corpus", str(tmp_path))
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done 400 runs" in done.stderr
