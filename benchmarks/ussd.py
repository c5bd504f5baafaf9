"""USSD hops a second and their latency, beside the package cardisk on the same menu, same run.

    python -m benchmarks.ussd [--seconds 5] [--sessions 1 10 100 1000] [--live 1 1000 10000 100000]
                              [--write docs/mobile-network.md]

First: that many sessions at once, each answering as fast as it is answered, through the real web
process (one, with its threads) and a real Redis. The reference is cardisk 0.4.7 with its own Redis
store under uvicorn (one process). Then: one session at a time while Redis holds ever more live
ones. A hop must cost the same with 100,000 live sessions as with one.

The clients share the machine with what they measure, so the ratio says more than the rates.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import redis

from benchmarks import document
from gateway.context import Context
from gateway.people import farmers
from gateway.privacy import consent
from gateway.settings import Settings
from rig import servers
from rig.house import free_port, wait_until

KEY = "a-channel-key-for-benchmarks"
REFERENCE = ("cardisk==0.4.7", "uvicorn", "redis")
ANSWERS = ("2", "1", "1", "00")
"""Main menu, crop, disease, advice, and home, so that no redial is offered to go on."""
ADVICE = 3
"""The hop that shows the advice."""
ROUNDS = 5
BATCH = 1000
"""Sessions written at once; more would keep Redis from everybody else for too long."""
REFERENCE_MOST = 10_000
"""Live sessions beyond which one hop of the reference takes longer than a benchmark may."""

REFERENCE_APP = r"""
from cardisk import app, ussd

MAIN = "Leafline\n1 My results\n2 Advice\n3 Help"
CROPS = "Which crop?\n1 maize\n2 beans\n3 cassava"
DISEASES = "What does it look like?\n1 common rust\n2 leaf blight"
ADVICE = "Common rust: powdery brown bumps on both leaf sides. No spray yet."

def screen(route, text):
    return app.route(route)(lambda: text)

def lead(screen, typed, route, text):
    @screen.option(typed)
    def go():
        ussd.next(route)
        return text

# By options and not by its menu(): with the Redis store that forgets where its numbers lead.
lead(screen("/", MAIN), "2", "/crops", CROPS)
lead(screen("/crops", CROPS), "1", "/diseases", DISEASES)
lead(screen("/diseases", DISEASES), "1", "/advice", ADVICE)
lead(screen("/advice", ADVICE), "00", "/", MAIN)
asgi = app.app
"""


@dataclass
class Side:
    """One of the two under measurement."""

    name: str
    port: int
    path: str
    body: Callable[[int, str, Sequence[str]], bytes]
    """(number of the phone, session id, answers so far) to the body of the next hop."""
    kind: str
    """Content type."""
    store: redis.Redis
    shows: bytes
    """A word of the advice, to be sure that it is the same work."""


@dataclass
class Figures:
    times: list[float] = field(default_factory=list)
    """Seconds of each hop."""
    seconds: float = 0.0
    odd: int = 0
    """Calls that did not get to the advice: a hop in between found Redis too slow, and the next
    call was offered to go on."""

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def oddly(self) -> str:
        return f"  ({self.odd} calls went another way)" if self.odd else ""

    def at(self, percent: int) -> float:
        """Milliseconds."""
        return statistics.quantiles(self.times, n=100)[percent - 1] * 1000


async def play(side: Side, sessions: int, seconds: float) -> Figures:
    """So many sessions at once, for so long; each dials again when it has seen the last screen."""
    figures = Figures()
    began = time.perf_counter()
    until = began + seconds
    await asyncio.gather(*(phone(side, n, until, figures) for n in range(sessions)))
    figures.seconds = time.perf_counter() - began
    return figures


async def phone(side: Side, number: int, until: float, figures: Figures) -> None:
    connection = None
    calls = 0
    while time.perf_counter() < until:
        calls += 1
        session = f"ATUid_{os.getpid()}_{number}_{calls}"
        for hop in range(len(ANSWERS) + 1):
            body = side.body(number, session, ANSWERS[:hop])
            began = time.perf_counter()
            connection, reply = await post(side, connection, body)
            figures.times.append(time.perf_counter() - began)
            if hop == ADVICE and side.shows not in reply:
                figures.odd += 1
    if connection:
        connection[1].close()


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def post(
    side: Side, connection: Connection | None, body: bytes
) -> tuple[Connection | None, bytes]:
    """One request on a kept connection, opened again where the server closed it."""
    for _ in range(3):
        try:
            reader, writer = connection or await asyncio.open_connection("127.0.0.1", side.port)
            writer.write(
                f"POST {side.path} HTTP/1.1\r\nHost: benchmark\r\nContent-Type: {side.kind}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            reply = await reader.readexactly(length)
        except (ConnectionError, asyncio.IncompleteReadError):
            connection = None
            continue
        if b"connection: close" in head.lower():
            writer.close()
            return None, reply
        return (reader, writer), reply
    raise SystemExit(f"{side.name} does not answer")


@contextmanager
def leafline(folder: Path, redis_url: str, phones: int) -> Iterator[Side]:
    port = free_port()
    environment = {
        "LEAFLINE_HOME": str(folder),
        "LEAFLINE_PORT": str(port),
        "LEAFLINE_CHANNEL_KEYS": KEY,
        "LEAFLINE_SIMULATOR": "off",
        "REDIS_URL": redis_url,
    }
    run = [sys.executable, "-m", "gateway"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LEAFLINE_")} | environment
    subprocess.run([*run, "db", "upgrade"], env=kept, check=True, stdout=subprocess.DEVNULL)
    os.environ |= environment
    context = Context.open(Settings.read())
    with context.store.transaction() as session:
        for number in range(phones):
            farmer = farmers.find_or_create(session, msisdn(number))
            farmers.set_language(session, farmer, "en", by="benchmark")
            consent.give(session, farmer, by="benchmark")
    context.close()

    def body(number: int, session: str, answers: Sequence[str]) -> bytes:
        return urlencode(
            {
                "sessionId": session,
                "phoneNumber": msisdn(number),
                "serviceCode": "*384*123#",
                "networkCode": "99999",
                "text": "*".join(answers),
            }
        ).encode()

    path = f"/africastalking/{KEY}/ussd"
    store = redis.Redis.from_url(redis_url, socket_timeout=120)
    form = "application/x-www-form-urlencoded"
    with server([*run, "web"], kept, port):
        yield Side("Leafline", port, path, body, form, store, b"powdery")


@contextmanager
def reference(folder: Path, redis_url: str) -> Iterator[Side]:
    port = free_port()
    python = reference_python(folder)
    (folder / "reference_app.py").write_text(REFERENCE_APP)

    def body(_number: int, session: str, answers: Sequence[str]) -> bytes:
        # It finds a session by its number and mixes up two of one number: a number for each call.
        caller = "".join(c for c in session if c.isdigit())
        kind, said = ("2", answers[-1]) if answers else ("1", "")
        return (
            f"<ussd><msisdn>{caller}</msisdn><sessionid>1</sessionid>"
            f"<type>{kind}</type><msg>{said}</msg></ussd>"
        ).encode()

    command = [python, "-m", "uvicorn", "reference_app:asgi", "--port", str(port)]
    environment = os.environ | {"CARDISK_USE_REDIS": "1", "CARDISK_REDIS_URL": redis_url}
    store = redis.Redis.from_url(redis_url, socket_timeout=120)
    options = ["--app-dir", str(folder), "--log-level", "warning"]
    with server([*command, *options], environment, port):
        yield Side("cardisk", port, "/", body, "text/xml", store, b"powdery")


def reference_python(folder: Path) -> str:
    """An interpreter of its own for the reference, which wants other versions than ours."""
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", *REFERENCE], check=True)
    return python


@contextmanager
def server(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as process:
        try:
            wait_until(lambda: listens(port), f"the server {command[2]}")
            yield
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def msisdn(number: int) -> str:
    return f"+250788{number:06}"


def fill(side: Side, live: int) -> None:
    """Make Redis hold so many live sessions, each a copy of one that was really begun."""
    side.store.flushdb(asynchronous=True)
    asyncio.run(play(side, 1, 0.001))
    for key in list(side.store.scan_iter()):
        copy = side.store.dump(key)
        for start in range(1, live, BATCH):
            pipe = side.store.pipeline(transaction=False)
            for number in range(start, min(start + BATCH, live)):
                pipe.restore(f"{key.decode()}:{number}", 15 * 60 * 1000, copy)
            pipe.execute()


Row = tuple[str, ...]


def compare(sides: Sequence[Side], levels: Sequence[int], seconds: float) -> Iterator[Row]:
    """Rows of a table, its head first: how many hops each side serves."""
    yield "sessions at once", "side", "hops/s", "p50 ms", "p99 ms", "ratio of hops/s"
    for sessions in levels:
        rates: list[float] = []
        for side in sides:
            side.store.flushdb(asynchronous=True)
            figures = asyncio.run(play(side, sessions, seconds))
            rates.append(figures.rate)
            beside = f"{rates[0] / rates[1]:.1f}x" if len(rates) > 1 else ""
            yield (
                f"{sessions:,}",
                side.name + figures.oddly(),
                f"{figures.rate:.0f}",
                f"{figures.at(50):.1f}",
                f"{figures.at(99):.1f}",
                beside,
            )


def crowd(sides: Sequence[Side], levels: Sequence[int], seconds: float) -> Iterator[Row]:
    """Rows of a table, its head first: what a hop costs beside ever more live sessions.

    The quietest of some rounds counts: what disturbs this machine is not the crowd."""
    yield "live sessions", "side", "p50 ms", "p99 ms", "ratio of p50 to the first"
    for side in sides:
        wanted = [n for n in levels if side.name == "Leafline" or n <= REFERENCE_MOST]
        quietest: dict[int, Figures] = {}
        for _ in range(ROUNDS):
            for live in wanted:
                fill(side, live)
                figures = asyncio.run(play(side, 1, seconds / ROUNDS))
                before = quietest.get(live)
                if before is None or figures.at(50) < before.at(50):
                    quietest[live] = figures
        for live, figures in quietest.items():
            ratio = figures.at(50) / quietest[wanted[0]].at(50)
            yield (
                f"{live:,}",
                side.name + figures.oddly(),
                f"{figures.at(50):.2f}",
                f"{figures.at(99):.2f}",
                f"{ratio:.2f}x",
            )


def table(rows: Iterator[Row]) -> list[str]:
    """The rows as Markdown, each printed as it comes."""
    lines: list[str] = []
    for row in rows:
        lines.append(f"| {' | '.join(row)} |")
        print(lines[-1], flush=True)
        if len(lines) == 1:
            lines.append("|---" * len(row) + "|")
            print(lines[-1], flush=True)
    print()
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--live", type=int, nargs="+", default=[1, 1000, 10_000, 100_000])
    parser.add_argument("--write", type=Path, help="document whose block gets the figures")
    parser.add_argument("--alone", action="store_true", help="without the reference")
    options = parser.parse_args()
    with ExitStack() as stack:
        ours, theirs = (Path(stack.enter_context(TemporaryDirectory())) for _ in range(2))
        redis_of = [stack.enter_context(servers.redis_server()) for _ in range(2)]
        sides = [stack.enter_context(leafline(ours, redis_of[0], max(options.sessions)))]
        if not options.alone:
            try:
                sides.append(stack.enter_context(reference(theirs, redis_of[1])))
            except subprocess.CalledProcessError:
                print("cardisk cannot be installed here; Leafline alone")
        for side in sides:
            asyncio.run(play(side, 1, 0.001))  # a server listens before it has loaded itself
        served = table(compare(sides, options.sessions, options.seconds))
        cost = table(crowd(sides, options.live, options.seconds))
    if options.write:
        given = f"--seconds {options.seconds:g}"
        for name in ("sessions", "live"):
            given += f" --{name} {' '.join(map(str, getattr(options, name)))}"
        where = f"{os.cpu_count()} cores, {datetime.now(UTC).date()}"
        command = f"`python -m benchmarks.ussd {given}`, {where}"
        document.put(options.write, "ussd", [command, "", *served, "", *cost])


if __name__ == "__main__":
    main()
