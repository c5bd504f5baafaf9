"""A page asks the store as often with many cases as with none."""

from __future__ import annotations

from sqlalchemy import event

from gateway.context import Context
from rig import crowd
from rig.desk import Person

MOST = {
    "/operator/": 10,
    "/operator/start": 4,
    "/operator/cases/list": 5,
    "/operator/cases/list?state=open&age=late": 5,
    "/operator/cases/list?failed=1&label=maize_rust&district=District+01&kiosk=1&officer=2": 5,
    "/operator/costs": 3,
    "/operator/costs?by=week": 3,
    "/operator/messages?state=all": 3,
    "/operator/messages?state=delivered": 3,
    "/operator/farmers": 2,
    "/operator/incidents": 3,
    "/operator/cases": 5,
    "/operator/cases?weeks=52&district=District+01": 5,
    "/operator/model": 4,
    "/operator/promises": 4,
    "/operator/kiosks": 3,
    "/operator/officers": 3,
    "/operator/messages": 3,
    "/operator/heard": 3,
    "/operator/broadcasts": 3,
    "/operator/texts": 2,
    "/operator/audit": 4,
    "/operator/audit?who=all": 6,
    "/operator/account": 3,
    "/operator/cases.csv": 2,
    "/operator/districts.geojson": 4,
}
"""Queries of each page, those for who is signed in and for open incidents among
them."""


def test_queries_do_not_grow_with_the_data(viewer: Person, context: Context) -> None:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    def count(path: str) -> int:
        seen.clear()
        assert viewer.client.get(path).get_data()
        return len(seen)

    for path in MOST:  # the first look at anything may read what is then kept
        viewer.client.get(path)
    event.listen(context.store.engine, "before_cursor_execute", note)
    assert {path: count(path) for path in MOST} == MOST
    crowd.fill(context.store, 200, days=60)
    assert {path: count(path) for path in MOST} == MOST
