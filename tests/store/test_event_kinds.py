"""SQLite keeps a text that is longer than its column; PostgreSQL refuses it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sqlalchemy import String

from gateway.settings import ROOT
from gateway.store.models import Event


def kinds() -> Iterator[str]:
    for path in (ROOT / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Event":
                for word in node.keywords:
                    if word.arg == "kind" and isinstance(word.value, ast.Constant):
                        yield str(word.value.value)


def test_every_kind_of_event_fits_its_column() -> None:
    column = Event.__table__.c.kind.type
    assert isinstance(column, String)
    assert column.length is not None
    found = set(kinds())
    assert len(found) > 10
    assert {kind for kind in found if len(kind) > column.length} == set()
