"""How long the pages take on the server, and how many queries, with many cases and with few.

    python -m benchmarks.pages_at_size [--store postgresql] [--cases 100000] [--requests 100]
        [--write docs/pages.md]

Fills an empty store (SQLite in a temporary folder, or a PostgreSQL of its own), signs a kiosk, an
officer and an operator in, and asks each page again and again, one request at a time, in this
process. The reference is the same page on the same kind of store with 1,000 cases: a page whose
work grows with the data shows a large ratio. The officer holds 30 cases that wait, whatever the
size; the kiosk has what came to it in the last day.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import event, select, update

from benchmarks.document import put, table
from gateway.app import create_app
from gateway.context import Context
from gateway.people import officers, pairing
from gateway.settings import Settings
from gateway.store.models import Case, Escalation, Kiosk, Officer
from rig import admins, crowd, servers
from rig.desk import Officer as Known
from rig.desk import Person

FEW = 1000
WAITING = 30
OF_FEW = 5
"""The reference gets this many times fewer requests."""
HEAD = ("page", "queries", "p50, ms", "p99, ms", f"p50 / p50 with {FEW:,} cases")
PAGES = {
    "kiosk": ("/kiosk", "/kiosk/cases", "/kiosk/cases/{case}", "/api/cases"),
    "officer": (
        "/officer",
        "/officer?show=answered",
        "/officer?show=answered&page=5",
        "/officer?late=1&label=none",
        "/officer?q=0001",
        "/officer/next",
        "/officer/case/{case}",
    ),
    "operator": (
        "/operator/",
        "/operator/cases",
        "/operator/cases?weeks=52",
        "/operator/cases/list",
        "/operator/cases/list?state=open&age=late",
        "/operator/cases/list?label=maize_rust&district=District+01&kiosk=1",
        "/operator/cases/list?verdict=no_leaf",
        "/operator/cases/list?officer=1",
        "/operator/cases/list?failed=1",
        "/operator/cases/{case}",
        "/operator/start",
        "/operator/costs?by=week",
        "/operator/model",
        "/operator/promises",
        "/operator/kiosks",
        "/operator/kiosks/1",
        "/operator/officers",
        "/operator/officers/1",
        "/operator/messages",
        "/operator/messages?state=delivered",
        "/operator/messages?state=all",
        "/operator/broadcasts",
        "/operator/texts",
        "/operator/audit",
        "/operator/audit?who=all",
        "/operator/account",
        "/operator/districts.geojson?weeks=52",
    ),
}
"""By who must have signed in (a key of `DOORS`); `{case}` is a case of theirs."""


@dataclass(frozen=True)
class AtSize:
    context: Context
    people: dict[str, Person]
    """By door, signed in."""
    cases: dict[str, str]
    """By door, the code of a case that they may see."""

    def get(self, door: str, page: str) -> bytes:
        """The page's bytes, or a way on to a case. Raises: AssertionError when it is not there."""
        address = page.format(case=self.cases.get(door, ""))
        answer = self.people[door].client.get(address)
        there = answer.status_code == 200 or "/officer/case/" in (answer.location or "")
        assert there, f"{address}: {answer.status_code} {answer.location}"
        return answer.get_data()


@contextmanager
def house(cases: int, database: str, redis: str) -> Iterator[AtSize]:
    """An application on a store with so many cases, and one of each kind of person signed in."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read(
            home=Path(folder), database_url=database, redis_url=redis, secret_key="for measuring"
        )
        app = create_app(settings)
        context: Context = app.extensions["leafline"]
        context.store.migrate()
        began = time.perf_counter()
        crowd.fill(context.store, cases)
        leave_waiting(context, WAITING)
        print(f"{cases} cases in {time.perf_counter() - began:.0f} s", flush=True)
        made = AtSize(context, {door: Person(app.test_client()) for door in DOORS}, {})
        for door, enter in DOORS.items():
            made.cases[door] = enter(context, made.people[door])
        yield made
        context.close()


def leave_waiting(context: Context, count: int) -> None:
    """Let so many of the first officer's newest cases be open still."""
    newest = select(Escalation.id).where(Escalation.officer_id == 1)
    newest = newest.order_by(Escalation.id.desc()).limit(count)
    with context.store.transaction() as session:
        ids = session.scalars(newest).all()
        again = update(Escalation).where(Escalation.id.in_(ids))
        session.execute(again.values(closed_at=None, outcome=None))


def enter_kiosk(context: Context, person: Person) -> str:
    with context.store.transaction() as session:
        code = pairing.new_code(session, session.get_one(Kiosk, 1))
        query = select(Case.code).where(Case.kiosk_id == 1).order_by(Case.id.desc()).limit(1)
        newest = session.scalars(query).one()
    person.get("/kiosk/pair")
    person.post("/kiosk/pair", code=code)
    return newest


def enter_officer(context: Context, person: Person) -> str:
    with context.store.transaction() as session:
        row = session.get_one(Officer, 1)
        pin = officers.new_pin(session, row, by="benchmark")
        query = select(Case.code).join(Escalation, Escalation.case_id == Case.id)
        query = query.where(Escalation.officer_id == 1, Escalation.closed_at.is_(None)).limit(1)
        waiting = session.scalars(query).one()
        known = Known(row.id, row.phone, pin)
    person.sign_in(known)
    return waiting


def enter_operator(context: Context, person: Person) -> str:
    admins.enter(person, admins.enrol(context))
    with context.store.reading() as session:
        return session.scalars(select(Case.code).order_by(Case.id.desc()).limit(1)).one()


DOORS: dict[str, Callable[[Context, Person], str]] = {
    "kiosk": enter_kiosk,
    "officer": enter_officer,
    "operator": enter_operator,
}
"""How each signs in; returns the code of a case that they may see."""


def queries_of(house: AtSize, door: str, page: str) -> int:
    """Statements that one request sends to the store."""
    seen = 0

    def count(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        nonlocal seen
        seen += not statement.startswith(("BEGIN", "PRAGMA"))

    house.get(door, page)  # the first look at anything may read what is then kept
    event.listen(house.context.store.engine, "before_cursor_execute", count)
    house.get(door, page)
    event.remove(house.context.store.engine, "before_cursor_execute", count)
    return seen


def times(house: AtSize, door: str, page: str, requests: int) -> list[float]:
    """Seconds of each request."""
    taken = []
    for _ in range(requests):
        began = time.perf_counter()
        house.get(door, page)
        taken.append(time.perf_counter() - began)
    return taken


def measure(few: AtSize, many: AtSize, requests: int) -> Iterator[tuple[str, ...]]:
    """A row of HEAD for each page."""
    for door, pages in PAGES.items():
        for page in pages:
            queries = queries_of(many, door, page)
            reference = times(few, door, page, max(5, requests // OF_FEW))
            taken = times(many, door, page, requests)
            p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
            ratio = p50 / statistics.median(reference)
            yield page, str(queries), f"{p50 * 1e3:.1f}", f"{p99 * 1e3:.1f}", f"{ratio:.1f}"


@contextmanager
def databases(store: str) -> Iterator[tuple[str, str]]:
    """Two empty ones; the empty address is SQLite in the home."""
    if store == "sqlite":
        yield "", ""
        return
    cluster = servers.Postgres()
    cluster.start()
    try:
        for name in ("few", "many"):
            cluster.execute(f"CREATE DATABASE {name}")
        yield cluster.url.format("few"), cluster.url.format("many")
    finally:
        cluster.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--write", type=Path, help="document whose block gets the figures")
    asked = parser.parse_args()
    with ExitStack() as stack:
        redis = stack.enter_context(servers.redis_server())
        first, second = stack.enter_context(databases(asked.store))
        few = stack.enter_context(house(FEW, first, redis))
        many = stack.enter_context(house(asked.cases, second, redis))
        print(f"{HEAD[0]:38} {HEAD[1]:>7} {HEAD[2]:>8} {HEAD[3]:>8}   {HEAD[4]}")
        rows = []
        for row in measure(few, many, asked.requests):
            page, queries, p50, p99, ratio = row
            print(f"{page:38} {queries:>7} {p50:>8} {p99:>8} {ratio:>7}", flush=True)
            rows.append((f"`{page}`", *row[1:]))
    if asked.write:
        command = f"--store {asked.store} --cases {asked.cases} --requests {asked.requests}"
        lines = [f"`python -m benchmarks.pages_at_size {command}`", "", *table(HEAD, rows)]
        put(asked.write, f"pages {asked.store}", lines)


if __name__ == "__main__":
    main()
