"""Tests that a page of docs/ names as proof."""

from __future__ import annotations

import re

from gateway.settings import ROOT


def named(page: str) -> set[str]:
    return set(re.findall(r"`(test_\w+)`", page))


def written() -> set[str]:
    return {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
