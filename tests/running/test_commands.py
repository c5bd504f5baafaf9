"""How a process begins: before anything heavy is loaded, and refusing in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from gateway.cli import main


def test_a_process_begins_without_numpy_and_the_model() -> None:
    """numpy reads its thread count when it is imported; ONNX Runtime must not be forked."""
    program = (
        "import os, sys\n"
        "from gateway.running import commands, supervisor, web\n"
        "commands.begin('web')\n"
        "loaded = [name for name in ('numpy', 'onnxruntime') if name in sys.modules]\n"
        "print(loaded, os.environ['OPENBLAS_NUM_THREADS'])\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "[] 1\n", answer.stderr


@pytest.mark.parametrize("command", ["web", "worker"])
def test_a_store_that_is_behind_is_refused(command: str) -> None:
    words = [sys.executable, "-m", "gateway", command]
    answer = subprocess.run(words, capture_output=True, text=True)
    assert answer.returncode == 1
    assert answer.stderr == "Error: the store is not up to date: run `leafline db upgrade`\n"


def test_an_unknown_check_is_wrong_usage() -> None:
    answer = CliRunner().invoke(main, ["doctor", "weather"])
    assert answer.exit_code == 2
    assert "settings, disk, store, spool, redis" in answer.stderr
