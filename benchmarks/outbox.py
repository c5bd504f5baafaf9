"""Messages a second through the outbox, beside the official SDK called bare, with no memory.

    python -m benchmarks.outbox [--messages 400] [--trickle 100]

The outbox: a message committed to the store, claimed by a sender process, handed to the simulated
network over HTTP, its answer committed. SQLite with full syncs, our own Redis, one sender. The
reference is the SDK of the provider, eight threads, same network, same texts, same run: it keeps
nothing, so a crash loses what it held. Rounds take turns.

Then, one message at a time: how long from the commit until the handset has it, and from there until
the sender has the answer written down: the window in which a crash leaves a message's fate
unknown. The network here answers within milliseconds; with a real one the window is as long as
its answer takes.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import requests
from africastalking.SMS import SMSService
from sqlalchemy import func, select

from gateway import outbox
from gateway.context import Context
from gateway.settings import Settings
from gateway.store.models import Message
from rig import servers
from simulator.phone import Phone, reset, set_faults

NUMBER = "+250788000001"
TEXT = "Maize: looks like common rust. Pick off the worst leaves, burn them, plant clean seed. "
THREADS = 8
ROUNDS = 3


class Bare(SMSService):  # type: ignore[misc]  # the SDK has no types
    """The SDK as it is, towards the simulated network."""

    def __init__(self, url: str) -> None:
        self._url = url
        super().__init__("sandbox", "k")

    def _init_service(self) -> None:
        self._baseUrl = self._contentUrl = f"{self._url}/version1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--trickle", type=int, default=100)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, house(Path(folder)) as (context, url):
        set_faults(url, reports="never")
        rates: dict[str, list[float]] = {"outbox": [], "bare SDK": []}
        for _ in range(ROUNDS):
            rates["bare SDK"].append(bare(url, wanted.messages))
            rates["outbox"].append(through_outbox(context, wanted.messages))
        ours, theirs = statistics.median(rates["outbox"]), statistics.median(rates["bare SDK"])
        print(f"outbox    {ours:8.1f} messages/s (posted, claimed, sent, settled)")
        print(f"bare SDK  {theirs:8.1f} messages/s, {THREADS} threads, nothing kept")
        print(f"ratio     {ours / theirs:8.2f}")
        reset(url)
        set_faults(url, reports="never")
        waits, windows = trickle(context, url, wanted.trickle)
        tell("commit to handset", waits)
        tell("handset to settled", windows)


@contextmanager
def house(folder: Path) -> Iterator[tuple[Context, str]]:
    """A store, a Redis, the simulated network and one sender, each a process of its own."""
    with servers.redis_server() as redis_url, ExitStack() as processes:
        port = free_port()
        given = {
            "LEAFLINE_HOME": str(folder),
            "REDIS_URL": redis_url,
            "LEAFLINE_SEND_RATE": "1000",
            "LEAFLINE_SIMULATOR_PORT": str(port),
        }
        os.environ.update(given)
        context = Context.open(Settings.read())
        context.store.migrate()
        for part in ("simulator", "sender"):
            command = [sys.executable, "-m", "gateway", part]
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            processes.callback(process.wait)
            processes.callback(process.terminate)
        url = f"http://127.0.0.1:{port}"
        until_it_answers(url)
        yield context, url
        context.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_it_answers(url: str) -> None:
    while True:
        try:
            requests.get(f"{url}/simulator", timeout=1)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return


def through_outbox(context: Context, count: int) -> float:
    started = time.perf_counter()
    before = sent(context)
    for number in range(count):
        post(context, f"{started}:{number}")
    while sent(context) < before + count:
        time.sleep(0.02)
    return count / (time.perf_counter() - started)


def bare(url: str, count: int) -> float:
    sdk = Bare(url)
    started = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: sdk.send(TEXT, [NUMBER]), range(count)))
    return count / (time.perf_counter() - started)


def trickle(context: Context, url: str, count: int) -> tuple[list[float], list[float]]:
    """Seconds from commit to handset, and from handset to settled, of one message at a time."""
    phone = Phone(url, NUMBER)
    waits, windows = [], []
    for number in range(count):
        last, before = phone.last_id(), sent(context)
        post(context, f"trickle:{number}")
        committed = time.perf_counter()
        sms = phone.wait_for_sms(after=last)
        waits.append(time.perf_counter() - committed)
        while sent(context) == before:
            time.sleep(0.002)
        with context.store.reading() as session:
            settled = session.scalars(
                select(Message.sent_at).where(Message.key == f"trickle:{number}")
            ).one()
        assert settled is not None
        windows.append((settled - datetime.fromisoformat(sms.at)).total_seconds())
    return waits, windows


def tell(name: str, seconds: list[float]) -> None:
    cuts = statistics.quantiles(seconds, n=100)
    print(f"{name}: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms")


def post(context: Context, key: str) -> None:
    with context.store.transaction() as session:
        outbox.post(session, key=key, to=NUMBER, text=TEXT, kind="answer")


def sent(context: Context) -> int:
    with context.store.reading() as session:
        return session.scalar(select(func.count()).where(Message.state == "sent")) or 0


if __name__ == "__main__":
    main()
