"""How long the operator's pages take, and how many queries, with many cases and with few.

    python -m benchmarks.operator_pages [--cases 100000] [--requests 100] [--database URL]

Fills an empty store (SQLite in a temporary folder, unless another is named), signs an operator in,
and asks each page again and again, one request at a time, in this process. The reference is the
same page on a store with 1,000 cases: a page whose work grows with the data shows a large ratio.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import event

from gateway.app import create_app
from gateway.context import Context
from gateway.settings import Settings
from tests.support import admins, crowd, servers
from tests.support.desk import Person

FEW = 1000
PAGES = (
    "/operator/",
    "/operator/cases",
    "/operator/cases?weeks=52",
    "/operator/model",
    "/operator/promises",
    "/operator/kiosks",
    "/operator/officers",
    "/operator/messages",
    "/operator/broadcasts",
    "/operator/texts",
    "/operator/audit",
    "/operator/audit?who=all",
    "/operator/districts.geojson?weeks=52",
)


@contextmanager
def house(cases: int, database: str, redis: str) -> Iterator[tuple[Person, Context]]:
    """An application on a store with so many cases, and an admin signed in."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read(
            home=Path(folder), database_url=database, redis_url=redis, secret_key="for measuring"
        )
        app = create_app(settings)
        context: Context = app.extensions["leafline"]
        context.store.migrate()
        began = time.perf_counter()
        crowd.fill(context.store, cases)
        print(f"{cases} cases in {time.perf_counter() - began:.0f} s", flush=True)
        person = Person(app.test_client())
        admins.enter(person, admins.enrol(context))
        yield person, context
        context.close()


def measure(person: Person, context: Context, path: str, requests: int) -> tuple[list[float], int]:
    """(seconds of each request, queries of one)."""
    seen = 0

    def count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal seen
        seen += not statement.startswith(("BEGIN", "PRAGMA"))

    assert person.client.get(path).status_code == 200, path
    event.listen(context.store.engine, "before_cursor_execute", count)
    person.client.get(path)
    event.remove(context.store.engine, "before_cursor_execute", count)
    taken = []
    for _ in range(requests):
        began = time.perf_counter()
        person.client.get(path).get_data()
        taken.append(time.perf_counter() - began)
    return taken, seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--database", default="", help="an empty one; its tables are made")
    options = parser.parse_args()
    with ExitStack() as stack:
        redis = stack.enter_context(servers.redis_server())
        few = stack.enter_context(house(FEW, "", redis))
        many = stack.enter_context(house(options.cases, options.database, redis))
        print(f"{'page':38} queries   p50 ms   p99 ms   p50 / p50 with {FEW} cases")
        for path in PAGES:
            reference, _ = measure(*few, path, max(20, options.requests // 5))
            taken, queries = measure(*many, path, options.requests)
            p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
            ratio = p50 / statistics.median(reference)
            print(
                f"{path:38} {queries:7} {p50 * 1e3:8.1f} {p99 * 1e3:8.1f} {ratio:10.1f}", flush=True
            )


if __name__ == "__main__":
    main()
