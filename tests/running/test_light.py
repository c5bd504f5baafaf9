"""What a process imports is paid at every start, and by every command."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "gateway.running.commands": ("psycopg", "segno", "numpy", "onnxruntime", "flask"),
    "gateway.app": ("psycopg", "segno", "onnxruntime"),
}


@pytest.mark.parametrize("module", HEAVY)
def test_what_few_need_is_imported_where_it_is_needed(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    words = [sys.executable, "-c", code]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert set(HEAVY[module]) & set(loaded) == set()
