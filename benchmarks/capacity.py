"""What a season asks for: machines, storage and money a month, for so many farmers.

    python -m benchmarks.capacity [--cases 200] [--write] [--farmers 10000 ...] [--sms-price 0.02]

First it measures here what a case and a hop cost: the CPU time of this process for an upload, a
diagnosis, a message and a hop, on SQLite, without HTTP, and how many bytes a case leaves behind.
Then it multiplies. What people do is assumed, and each assumption is an option; prices are those
of nobody, to be replaced by your own.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks import guard
from benchmarks.document import put, table
from gateway.context import Context
from gateway.jobs import photos, worker
from gateway.settings import ROOT
from rig import things
from rig.photos import draw_photos

MONTH_SECONDS = 30 * 86_400
HTTP = 1.5
"""CPU of a request with its server and proxy over that of the same in process."""
DOCUMENT = ROOT / "docs" / "performance.md"


@dataclass(frozen=True)
class Costs:
    """Of one of each; seconds of CPU, and bytes."""

    upload: float
    diagnosis: float
    message: float
    hop: float
    row_bytes: float
    """Of a case with all that belongs to it, in the store."""
    photo_bytes: float


@dataclass(frozen=True)
class Habits:
    """What a farmer does in a month of the season, and when."""

    photos: float
    sessions: float
    hops: float
    """A session."""
    messages: float
    """A photo: the answer, an officer's, reminders."""
    peak: float
    """The busiest hour over the mean."""
    load: float
    """Share of a core that may be used at the peak."""
    kept_months: float


@dataclass(frozen=True)
class Prices:
    """In one currency."""

    message: float
    core_month: float
    gigabyte_month: float


@dataclass(frozen=True)
class Need:
    farmers: int
    photos_a_second: float
    hops_a_second: float
    cores: int
    gigabytes: float
    messages: float
    machines_cost: float
    messages_cost: float


def need(farmers: int, costs: Costs, habits: Habits, prices: Prices) -> Need:
    """What so many farmers ask for in a month of the season."""
    of_photos, sessions = farmers * habits.photos, farmers * habits.sessions
    messages = of_photos * habits.messages
    hops = sessions * habits.hops
    cpu = of_photos * (HTTP * costs.upload + costs.diagnosis)
    cpu += messages * costs.message + hops * HTTP * costs.hop
    cores = max(2, math.ceil(cpu * habits.peak / MONTH_SECONDS / habits.load))
    kept = of_photos * habits.kept_months * (costs.row_bytes + costs.photo_bytes) / 1e9
    return Need(
        farmers,
        of_photos * habits.peak / MONTH_SECONDS,
        hops * habits.peak / MONTH_SECONDS,
        cores,
        kept,
        messages,
        cores * prices.core_month + kept * prices.gigabyte_month,
        messages * prices.message,
    )


def measure(cases: int) -> Costs:
    """On this machine, one after the other."""
    unbounded = dict.fromkeys(("kiosk_daily", "district_daily", "service_daily", "number_daily"), 0)
    with guard.application(**unbounded) as (context, client):
        return _measure(context, client, cases)


def _measure(context: Context, client: FlaskClient, cases: int) -> Costs:
    home = context.settings.home
    _, token = things.kiosk(context.store)
    worker.sit_down(context)
    context.model.self_check()
    spent = dict.fromkeys(("upload", "diagnosis", "message", "hop"), 0.0)

    @contextmanager
    def timed(what: str) -> Iterator[None]:
        began = time.process_time()
        yield
        spent[what] += time.process_time() - began

    before = 0.0
    for number, picture in enumerate(draw_photos(cases + 1, 1024)):
        if number == 1:  # what the first one finds out is found out once
            spent = dict.fromkeys(spent, 0.0)
            before = _rows(context, home)
        phone = f"+25078{number:07}"
        with timed("upload"):
            guard.hand_in(client, token, picture, phone)
        photo = guard.newest_photo(context)
        with timed("diagnosis"):
            photos.diagnose(photo)
        with timed("message"):
            guard.hand_over(context)
        with timed("hop"):
            for text in ("", "1"):
                guard.hop(client, f"s{number}", phone, text)
    rows = _rows(context, home) - before
    return Costs(
        spent["upload"] / cases,
        spent["diagnosis"] / cases,
        spent["message"] / cases,
        spent["hop"] / cases / 2,
        rows / cases,
        _bytes(home, "photos/*/*") / (cases + 1),
    )


def _rows(context: Context, home: Path) -> float:
    """Bytes of the store, its journal taken in."""
    with context.store.engine.connect().execution_options(leafline_reading=True) as connection:
        connection.commit()
        raw = connection.connection.driver_connection
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    return _bytes(home, "leafline.sqlite3")


def _bytes(home: Path, pattern: str) -> float:
    return float(sum(path.stat().st_size for path in home.glob(pattern)))


def lines(costs: Costs, needs: Sequence[Need]) -> list[str]:
    """As the document shows it."""
    told = [
        f"Measured: {1000 * costs.upload:.1f} ms of CPU an upload, "
        f"{1000 * costs.diagnosis:.1f} ms a diagnosis, {1000 * costs.message:.1f} ms a message, "
        f"{1000 * costs.hop:.1f} ms a hop; {costs.row_bytes / 1000:.1f} kB of rows a case, "
        f"{costs.photo_bytes / 1000:.0f} kB a photo.",
        "",
    ]
    head = ("farmers", "photos/s at the peak", "hops/s at the peak", "cores", "GB kept",
            "SMS a month", "machines and disks a month", "SMS, a month")  # fmt: skip
    rows = [
        [
            f"{one.farmers:,}",
            f"{one.photos_a_second:.2f}",
            f"{one.hops_a_second:.1f}",
            str(one.cores),
            f"{one.gigabytes:,.0f}",
            f"{one.messages:,.0f}",
            f"{one.machines_cost:,.0f}",
            f"{one.messages_cost:,.0f}",
        ]
        for one in needs
    ]
    return told + table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=200, help="measured here")
    parser.add_argument("--farmers", type=int, nargs="+", default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--photos", type=float, default=0.1, help="a farmer and month")
    parser.add_argument("--sessions", type=float, default=0.5, help="of USSD, a farmer and month")
    parser.add_argument("--hops", type=float, default=4, help="a session")
    parser.add_argument("--messages", type=float, default=1.6, help="a photo")
    parser.add_argument("--peak", type=float, default=6, help="busiest hour over the mean")
    parser.add_argument("--load", type=float, default=0.5, help="of a core at the peak")
    parser.add_argument("--kept-months", type=float, default=12)
    parser.add_argument("--sms-price", type=float, default=0.02)
    parser.add_argument("--core-month", type=float, default=15)
    parser.add_argument("--gigabyte-month", type=float, default=0.1)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    chosen = parser.parse_args()
    costs = measure(chosen.cases)
    habits = Habits(
        chosen.photos, chosen.sessions, chosen.hops, chosen.messages, chosen.peak, chosen.load,
        chosen.kept_months,
    )  # fmt: skip
    prices = Prices(chosen.sms_price, chosen.core_month, chosen.gigabyte_month)
    told = lines(costs, [need(farmers, costs, habits, prices) for farmers in chosen.farmers])
    print("\n".join(told))
    if chosen.write:
        put(DOCUMENT, "capacity", told)


if __name__ == "__main__":
    main()
