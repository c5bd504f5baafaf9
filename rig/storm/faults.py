"""What goes wrong: one fault a second, drawn from a seed, the same for the same seed."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from rig.storm.site import Site
from simulator.phone import PhoneError

EVERY = 1.0
PROCESSES = ("web", "worker-1", "worker-2", "sender", "scheduler", "redis")

REFUSALS = ("status_403", "status_404", "status_406", "status_407")
"""For good: a person has to get the case."""
SENDING = (
    "http_500", "http_500_accepted", "http_502", "http_503", "throttled", "slow", "timeout",
    "timeout_accepted", "reset", "reset_accepted", "cut_json", "wrong_json", "charset",
    "text_plain", "not_json", "status_500", "status_501", "status_999", "wrong_key", "status_405",
    "empty_recipients", *REFUSALS,
)  # fmt: skip
REPORTING = (
    "success", "duplicated", "out_of_order", "before_answer", "absent_then_success",
    "unknown_status", "unknown_id", "never", "failed", "rejected",
)  # fmt: skip

KINDS = {
    "kill": 40,
    "kill_server": 6,
    "freeze": 18,
    "network": 22,
    "empty_redis": 4,
    "store": 8,
    "power_cut": 2,
}
"""How often each comes up, of a hundred. `store`: PostgreSQL crashes or gets no time, or SQLite's
lock is held."""
STORE_FAULTS = ("crash", "hang")


@dataclass(frozen=True)
class Fault:
    kind: str
    target: str = ""
    seconds: float = 0.0
    detail: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.kind, self.target, self.detail) if part)


def plan(seed: int) -> Iterator[Fault]:
    """The faults in their order, without end. A power cut is never among the first ten."""
    chance = random.Random(seed)
    number = 0
    while True:
        kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
        target, detail = chance.choice(PROCESSES), ""
        seconds = round(chance.uniform(0.3, 2.5), 2)
        if kind == "network":
            target = chance.choice(SENDING)
            detail = chance.choice(REPORTING)
        elif kind == "store":
            target = chance.choice(STORE_FAULTS)
        elif kind not in ("kill", "freeze"):
            target = ""
        number += 1
        if kind == "power_cut" and number <= 10:
            continue
        yield Fault(kind, target, seconds, detail)


class Storm:
    """Carries the plan out in a thread of its own, until it is told to stop."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._plan = plan(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storm")
        self._acts: list[threading.Thread] = []
        self.done: list[Fault] = []
        self.error: BaseException | None = None

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """No more faults; those under way end first. Raises what went wrong in the storm."""
        self._stop.set()
        self._thread.join()
        for thread in self._acts:
            thread.join()
        self._site.set_faults()
        if self.error:
            raise self.error

    def counts(self) -> Counter[str]:
        return Counter(fault.kind for fault in self.done)

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            fault = next(self._plan)
            try:
                self._act(fault)
            except BaseException as error:
                self.error = error
                return
            self.done.append(fault)

    def _act(self, fault: Fault) -> None:
        match fault.kind:
            case "kill":
                self._site.kill(fault.target)
            case "kill_server":  # one that serves, under the one that minds
                self._site.kill("web", youngest=True)
            case "freeze":
                self._aside(self._freeze, fault)
            case "network":
                self._change_network(fault)
            case "empty_redis":
                self._site.empty_redis()
            case "store" if not self._site.postgres:
                self._aside(self._hold_lock, fault)
            case "store" if fault.target == "hang":
                self._aside(self._hang_store, fault)
            case "store":
                self._site.crash_store()
            case "power_cut":
                self._site.power_cut()

    def _aside(self, act: object, fault: Fault) -> None:
        thread = threading.Thread(target=act, args=(fault,))  # type: ignore[arg-type]
        self._acts.append(thread)
        thread.start()

    def _freeze(self, fault: Fault) -> None:
        with self._site.stopped(fault.target):
            time.sleep(fault.seconds)

    def _hang_store(self, fault: Fault) -> None:
        with self._site.hung_store():
            time.sleep(fault.seconds * 5)

    def _hold_lock(self, fault: Fault) -> None:
        """A backup, or a hand in the store: nobody else can write."""
        path = self._site.house.home / "leafline.sqlite3"
        connection = sqlite3.connect(path, timeout=5, isolation_level=None)
        with suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(fault.seconds * 5)
            connection.execute("ROLLBACK")
        connection.close()

    def _change_network(self, fault: Fault) -> None:
        with suppress(PhoneError, OSError):
            self._site.set_faults(
                send=[{"name": fault.target, "share": 0.4, "seconds": 1 + 2 * fault.seconds}],
                reports=fault.detail,
            )
