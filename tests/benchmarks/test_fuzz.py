"""The fuzzers start, and what they found before, with some hundred runs more, finds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("name", "runs"),
    [("pictures", 400), ("mm7", 800), ("forms", 600), ("sms", 250), ("ussd", 800)],
)
def test_nothing_is_found(tmp_path: Path, name: str, runs: int) -> None:
    pytest.importorskip("atheris", reason="there is none for this Python or machine")
    command = (f"benchmarks.fuzz.{name}", "--runs", str(runs), "--corpus", str(tmp_path))
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"Done {runs} runs" in done.stderr
