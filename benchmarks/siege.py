"""Every attack of docs/security.md at once, and ordinary people beside them.

    python -m benchmarks.siege [--seconds 120] [--photos 200] [--sessions 200] [--texts 100]
                               [--side 7064] [--drips 150] [--hands 2] [--seed 1]
                               [--write docs/security.md]

A whole house with the ceilings of docs/operating.md. Attackers drip on connections, send pictures
of 3,000 passes and of 50 million pixels, dial and write in circles to spend money, send photos of a
leaked kiosk to ever new numbers, post MM7 that costs, guess at sign-ins from ever new addresses and
crowd at the slow doors, while farmers dial, write and have their leaves photographed. How far it
is stands on the error output; a run takes two to five minutes more than its seconds.

Exit code 1 when anything of theirs is lost, refused, given up or a wrong screen, a photo is without
an answer, more money was spent than a ceiling allows, a process had to be started anew, or a door
answered 5xx other than 503; in a run of a minute or more also when the slowest hundredth of their
USSD hops took a second.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import document
from gateway.dialogue import gsm7
from gateway.store.models import Kiosk, Spending
from rig.house import wait_until
from rig.photos import draw_photos
from rig.storm.attacks import LOOPER, STRANGER, WRITER, Attackers, Bombs
from rig.storm.audit import audit
from rig.storm.clients import Crowd, Ledger
from rig.storm.evidence import gather, unfinished
from rig.storm.site import Site

SIDE = 448
GIVE_UP_SECONDS = 120.0
REST_SECONDS = 180.0
TELL_SECONDS = 10.0
JUDGED_SECONDS = 60
"""A shorter run says nothing about time."""
HOP_MOST = 1.0
NUMBER, KIOSK, SERVICE = 20, 400, 5000
"""SMS parts a day: the settings' own defaults."""
LEAKED = "Leaked"


@dataclass(frozen=True)
class Outcome:
    """One run, in figures."""

    seconds: float
    ledger: Ledger
    attacks: dict[str, Counter[str]]
    lost: list[str]
    unanswered: list[str]
    spent: dict[str, int]
    """SMS parts by who caused them."""
    memory: int
    """Most of one web process, bytes."""
    anew: list[str]
    load: float
    """Of the machine before it began, processes that wanted a core."""
    load_after: float
    """When the people were through; what else the machine did is in it."""

    @property
    def hop(self) -> float:
        """Seconds, of the slowest hundredth."""
        times = self.ledger.hop_seconds
        return statistics.quantiles(times, n=100)[98] if len(times) > 1 else 0.0

    @property
    def broken(self) -> list[str]:
        found = []
        for name, answers in self.attacks.items():
            found += [f"{name}: {said}" for said in answers if re.fullmatch("5(?!03)..", said)]
        return found

    @property
    def overspent(self) -> list[str]:
        most = {"stranger": NUMBER, "looper": NUMBER, "writer": NUMBER, "kiosk": KIOSK}
        most |= {"all": SERVICE, "abroad": 0}
        return [f"{who}: {self.spent[who]}" for who in most if self.spent[who] > most[who]]

    @property
    def slow(self) -> list[str]:
        judged = self.seconds >= JUDGED_SECONDS and self.hop >= HOP_MOST
        return [f"a hop: p99 {self.hop:.1f} s, {HOP_MOST:.1f} s allowed"] if judged else []

    @property
    def problems(self) -> dict[str, list[str]]:
        """What should not be, by kind."""
        gave_up = self.ledger.unanswered
        found = {
            "lost": self.lost,
            "unanswered": self.unanswered,
            "overspent": self.overspent,
            "broken": self.broken,
            "started anew": self.anew,
            "refused": self.ledger.refused,
            "given up": [f"{gave_up} tasks"] if gave_up else [],
            "wrong screens": self.ledger.wrong_screens,
            "slow": self.slow,
        }
        return {kind: lines for kind, lines in found.items() if lines}

    def rows(self) -> list[tuple[str, str]]:
        told, spent = self.ledger, self.spent
        median = statistics.median(told.hop_seconds or [0.0])
        rows = [
            ("seconds under attack", f"{self.seconds:.0f}"),
            ("photos of farmers answered 202", f"{len(told.uploads):,}"),
            ("of them without an answer", str(len(self.unanswered))),
            ("SMS of farmers answered 200", f"{len(told.sms):,}"),
            ("lost", str(len(self.lost))),
            ("USSD hops of farmers", f"{len(told.hop_seconds):,}"),
            ("a hop", f"median {1000 * median:.0f} ms, p99 {1000 * self.hop:.0f} ms"),
            (
                "SMS parts spent by attackers (ceiling)",
                f"one phone's dials {spent['stranger']} ({NUMBER}), yes, officer, erasure in a "
                f"loop {spent['looper']} ({NUMBER}), HELP in a loop {spent['writer']} ({NUMBER}), "
                f"a kiosk's token {spent['kiosk']} ({KIOSK}), abroad {spent['abroad']} (0)",
            ),
            ("SMS parts in all (ceiling)", f"{spent['all']:,} ({SERVICE:,})"),
            ("most memory of a web process", f"{self.memory / 1e6:.0f} MB"),
            ("processes that had to be started anew", str(len(self.anew))),
            (
                "load of the machine before, and at the end",
                f"{self.load:.1f}, {self.load_after:.1f} on {os.cpu_count()} cores",
            ),
            ("what failed", ", ".join(self.problems) or "nothing"),
        ]
        for name, answers in sorted(self.attacks.items(), key=lambda pair: int(pair[0].split()[0])):
            said = ", ".join(f"{said} {count:,}" for said, count in answers.most_common())
            rows.append((f"attack {name}", said))
        return rows


def tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def run(asked: argparse.Namespace) -> Outcome:
    tell("pictures are made")
    bombs = Bombs(asked.side)
    pictures = draw_photos(min(asked.photos, 100), SIDE)
    settings = {
        "LEAFLINE_NUMBER_DAILY": NUMBER,
        "LEAFLINE_KIOSK_DAILY": KIOSK,
        "LEAFLINE_SERVICE_DAILY": SERVICE,
        "LEAFLINE_PREDICT_ACCESS": "open",
        "LEAFLINE_PROXIES": 1,
        "LEAFLINE_WEB_THREADS": 8,
    }
    with tempfile.TemporaryDirectory(prefix="leafline-siege-") as folder:
        site = Site(Path(folder), "sqlite", **settings)
        try:
            tell("the house starts")
            site.open()
            return _siege(site, bombs, pictures, asked)
        finally:
            tell("the house stops")
            site.close()
            if asked.log:
                sys.stderr.write(site.house.output)


def _siege(site: Site, bombs: Bombs, pictures: list[bytes], asked: argparse.Namespace) -> Outcome:
    leaked = site.house.command("kiosk", "add", LEAKED, "--area", "Gasabo").stdout.split()[-1]
    before = set(site.house.processes())
    load = os.getloadavg()[0]
    attackers = Attackers(site, bombs, leaked, drips=asked.drips, hands=asked.hands)
    crowd = Crowd(site, pictures, asked.seed)
    attackers.begin()
    began = time.monotonic()
    try:
        with _telling(crowd.ledger, asked):
            crowd.run(
                asked.photos,
                asked.sessions,
                asked.texts,
                spread=asked.seconds,
                most=asked.seconds * 2 + GIVE_UP_SECONDS,
            )
    finally:
        seconds, load_after = time.monotonic() - began, os.getloadavg()[0]
        memory = max(map(_most_memory, site.house.processes("web")), default=0)
        tell("the attackers end")
        attackers.end()
    anew = sorted(str(pid) for pid in before - set(site.house.processes()))
    tell(f"what is still on its way arrives, for {REST_SECONDS:.0f} s at most")
    with suppress(AssertionError):  # what is unanswered or lost is said below
        wait_until(lambda: _at_rest(site, crowd.ledger), "the siege to come to rest", REST_SECONDS)
    unanswered = _waiting(site, crowd.ledger)
    evidence = gather(site)
    lost = audit(crowd.ledger, evidence).lost
    spent = _spent(site)
    answers = attackers.answers
    return Outcome(
        seconds,
        crowd.ledger,
        answers,
        lost,
        unanswered,
        spent,
        memory,
        anew,
        load,
        load_after,
    )


@contextmanager
def _telling(told: Ledger, asked: argparse.Namespace) -> Iterator[None]:
    """How far the people are, every few seconds."""
    over, began = threading.Event(), time.monotonic()

    def go_on() -> None:
        while not over.wait(TELL_SECONDS):
            tell(
                f"{time.monotonic() - began:.0f} s of {asked.seconds:.0f}: "
                f"{len(told.uploads)} of {asked.photos} photos, "
                f"{len(told.requests)} of {asked.sessions} dials, {len(told.sms)} SMS are through"
            )

    teller = threading.Thread(target=go_on)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


def _waiting(site: Site, told: Ledger) -> list[str]:
    """Photos that were answered 202 and whose farmer's phone got no SMS."""
    answered = {sms["phone"] for sms in site.messages() if sms["direction"] == "in"}
    return sorted(
        f"{client_id} {sorted(codes)}"
        for client_id, codes in told.uploads.items()
        if told.phones[client_id] not in answered
    )


def _at_rest(site: Site, told: Ledger) -> bool:
    """Whether all photos are answered, and all callbacks out of the network and in the store."""
    return not (_waiting(site, told) or site.journal()["pending"] or unfinished(site).spooled)


def _spent(site: Site) -> dict[str, int]:
    """SMS parts of today: what each attacker caused by the book of the house, which outlives an
    erasure, and what the network took in all and abroad."""
    store = site.store()
    spent: Counter[str] = Counter()
    with store.reading() as session:
        for name, phone in (("stranger", STRANGER), ("looper", LOOPER), ("writer", WRITER)):
            scope = Spending.scope == f"number:{store.vault.digest(phone)}"
            spent[name] = session.scalar(select(func.sum(Spending.parts)).where(scope)) or 0
        leaked = session.scalars(select(Kiosk.id).where(Kiosk.name == LEAKED)).one()
        scope = Spending.scope == f"kiosk:{leaked}"
        spent["kiosk"] = session.scalar(select(func.sum(Spending.parts)).where(scope)) or 0
    store.close()
    for sms in site.messages():
        if sms["direction"] == "in":
            parts = len(gsm7.parts(sms["text"]))
            spent["all"] += parts
            spent["abroad"] += 0 if sms["phone"].startswith("+250") else parts
    return spent


def _most_memory(pid: int) -> int:
    """Bytes that a process has held at most."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120, help="over which people begin")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=200, help="USSD sessions of five hops")
    parser.add_argument("--texts", type=int, default=100)
    parser.add_argument("--side", type=int, default=7064, help="pixels of the attackers' pictures")
    parser.add_argument("--drips", type=int, default=150, help="connections that drip")
    parser.add_argument("--hands", type=int, default=2, help="threads of each attack, or twice")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="document whose block gets the figures")
    parser.add_argument("--log", action="store_true", help="print the house's log at the end")
    asked = parser.parse_args()
    outcome = run(asked)
    for name, value in outcome.rows():
        print(f"{name:44}{value}")
    for name, lines in outcome.problems.items():
        for line in lines[:20]:
            print(f"{name}: {line}")
    if asked.write:
        words = ("seconds", "photos", "sessions", "texts", "side", "drips", "hands", "seed")
        options = " ".join(f"--{word} {getattr(asked, word):g}" for word in words)
        command = f"python -m benchmarks.siege {options}"
        document.put_run(asked.write, "siege", command, outcome.rows())
    raise SystemExit(1 if outcome.problems else 0)


if __name__ == "__main__":
    main()
