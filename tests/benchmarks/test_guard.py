"""What a photo, a hop and a message ask of store, disk and Redis stays within its budget."""

from __future__ import annotations

import json

from benchmarks import guard


def test_nothing_asks_for_more_than_its_budget() -> None:
    found, _ = guard.measure()
    assert guard.over(found, json.loads(guard.BUDGET.read_text())) == []


def test_more_is_named() -> None:
    found = {"hop": guard.Counts(statements=3, redis=2)}
    budget = {"hop": {"statements": 2, "commits": 0, "syncs": 0, "redis": 2}}
    assert guard.over(found, budget) == ["hop: 3 statements, 2 allowed"]
