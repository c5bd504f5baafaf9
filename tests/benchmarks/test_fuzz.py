"""The fuzzers start, and some hundred executions find nothing."""

import subprocess
import sys
from pathlib import Path


def test_pictures(tmp_path: Path) -> None:
    command = ("-m", "benchmarks.fuzz.pictures", "--runs", "400", "--corpus", str(tmp_path))
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done 400 runs" in done.stderr
