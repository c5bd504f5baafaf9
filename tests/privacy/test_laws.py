"""What docs/privacy.md names as proof is there."""

from __future__ import annotations

import re

from gateway.settings import ROOT, Settings
from tests import proofs

PAGE = (ROOT / "docs" / "privacy.md").read_text()


def test_every_proof_of_a_clause_is_a_test() -> None:
    named = proofs.named(PAGE)
    assert len(named) > 20
    assert named - proofs.written() == set()


def test_every_clause_has_a_proof_or_says_that_it_has_none() -> None:
    laws = PAGE[PAGE.index("## Rwanda") : PAGE.index("## What only")]
    rows = [line for line in laws.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) > 40
    without = [row for row in rows if "`test_" not in row and "**" not in row]
    assert [row[:6] for row in without] == ["| 17 |"]  # a record that people write


def test_every_time_of_keeping_is_told() -> None:
    kinds = [name for name in Settings.model_fields if name.startswith("retention_")]
    assert [name for name in kinds if Settings.variable(name) not in PAGE] == []
