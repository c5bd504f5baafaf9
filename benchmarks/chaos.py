"""Nothing lost, nothing sent twice: a house under load while something in it fails every second.

    python -m benchmarks.chaos [--store sqlite] [--photos 2000] [--sessions 1500] [--texts 1200]
                               [--spread 600] [--seed 1] [--write docs/reliability.md]

Real processes, real Redis, real SQLite or PostgreSQL, the real model on drawn leaves; the mobile
network is the simulator, outside the building. Each second one fault of a list drawn from the seed
kills or freezes a process, empties Redis, takes the store away, cuts the power of everything, or
makes the network misbehave. Clients try again until they are answered, some of them with several
copies at once, and remember what they were told.

Afterwards the faults stop, half an hour passes at a time (every instant in the store is moved into
the past, while nothing runs) and an auditor compares what clients were told with what the store
and the phones hold. Exit code 1 when anything is lost, doubled, stuck or without an answer.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks import document
from rig.photos import draw_photos
from rig.storm.audit import Evidence, Findings, audit
from rig.storm.clients import Crowd, Ledger
from rig.storm.evidence import gather, repairs, windows
from rig.storm.faults import Storm
from rig.storm.rest import come_to_rest
from rig.storm.site import Site

SIDE = 448
GIVE_UP_SECONDS = 180.0
STOP_WITHIN = 20.0


@dataclass(frozen=True)
class Outcome:
    """One run, in figures."""

    store: str
    seed: int
    ledger: Ledger
    faults: Counter[str]
    evidence: Evidence
    findings: Findings
    posted_by_network: int
    repaired: dict[str, int]
    seconds: float
    rest_seconds: float
    stops: list[float]
    windows: list[float]

    @property
    def good(self) -> bool:
        orderly = all(stop < STOP_WITHIN for stop in self.stops)
        return self.findings.clean and orderly and not self.ledger.wrong_screens

    def rows(self) -> list[tuple[str, str]]:
        told, found = self.ledger, self.evidence
        unknown = [m for m in found.messages if m.resent or m.outcome == "fate_unknown"]
        sent = sum(message.state in ("sent", "delivered") for message in found.messages)
        return [
            ("photos answered 202", f"{len(told.uploads):,}"),
            (
                "callbacks posted",
                f"{told.posts - len(told.uploads) + self.posted_by_network:,} "
                f"(USSD screens read: {told.hops:,}; SMS answered 200: {len(told.sms):,}; "
                f"delivery reports answered 200: {len(found.reports_told):,})",
            ),
            (
                "faults",
                f"{self.faults.total()} in {self.seconds:.0f} s: "
                + ", ".join(f"{kind} {count}" for kind, count in self.faults.most_common()),
            ),
            ("messages", f"{len(found.messages):,}, of them {sent:,} taken by the network"),
            ("lost", str(len(self.findings.lost))),
            ("doubled", str(len(self.findings.doubled))),
            ("stuck", str(len(self.findings.stuck))),
            ("cases", f"{len(found.cases):,}"),
            ("without an answer or a person", str(len(self.findings.unanswered))),
            (
                "fate unknown for 10 minutes",
                f"{len(unknown)} of {len(found.messages):,}; {self.findings.twice_in_window} "
                "phones got one twice",
            ),
            (
                "window of an unknown fate, in calm",
                f"median {1000 * statistics.median(self.windows):.0f} ms, "
                f"longest {1000 * max(self.windows):.0f} ms of {len(self.windows)}",
            ),
            (
                "repaired by sweeps",
                ", ".join(f"{name} {count}" for name, count in sorted(self.repaired.items())),
            ),
            ("stopped by SIGTERM in", ", ".join(f"{stop:.1f} s" for stop in self.stops)),
        ]


def run(
    store: str, photos: int, sessions: int, texts: int, spread: float, seed: int, log: bool
) -> Outcome:
    pictures = draw_photos(min(photos, 200), SIDE)
    with tempfile.TemporaryDirectory(prefix="leafline-chaos-") as folder:
        site = Site(Path(folder), store)
        try:
            site.open()
            outcome = _storm(site, pictures, photos, sessions, texts, spread, seed)
        finally:
            site.close()
            if log:
                sys.stderr.write(site.house.output)
    return outcome


def _storm(
    site: Site,
    pictures: list[bytes],
    photos: int,
    sessions: int,
    texts: int,
    spread: float,
    seed: int,
) -> Outcome:
    crowd, storm = Crowd(site, pictures, seed), Storm(site, seed)
    began = time.monotonic()
    storm.begin()
    try:
        crowd.run(photos, sessions, texts, spread=spread, most=spread * 3 + GIVE_UP_SECONDS)
    finally:
        storm.end()
    calm = time.monotonic()
    stops = come_to_rest(site)
    evidence = gather(site)
    return Outcome(
        site.kind,
        seed,
        crowd.ledger,
        storm.counts(),
        evidence,
        audit(crowd.ledger, evidence),
        site.journal()["posted"],
        repairs(site),
        calm - began,
        time.monotonic() - calm,
        stops,
        windows(site),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=1500, help="USSD sessions of five hops")
    parser.add_argument("--texts", type=int, default=1200, help="SMS, one to three copies of each")
    parser.add_argument("--spread", type=float, default=600, help="seconds over which they begin")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="document whose block gets the figures")
    parser.add_argument("--log", action="store_true", help="print the house's log at the end")
    asked = parser.parse_args()
    outcome = run(
        asked.store,
        asked.photos,
        asked.sessions,
        asked.texts,
        asked.spread,
        asked.seed,
        asked.log,
    )
    print(f"store {asked.store}, seed {asked.seed}")
    for name, value in outcome.rows():
        print(f"{name:36}{value}")
    problems = vars(outcome.findings) | {
        "refused": outcome.ledger.refused,
        "wrong_screens": outcome.ledger.wrong_screens,
    }
    for name, lines in problems.items():
        for line in lines[:20] if isinstance(lines, list) else ():
            print(f"{name}: {line}")
    if outcome.ledger.unanswered:
        print(f"given up by clients: {outcome.ledger.unanswered}")
    if asked.write:
        words = ["store", "photos", "sessions", "texts", "spread", "seed"]
        options = " ".join(f"--{word} {getattr(asked, word):g}" if word != "store" else
                           f"--store {asked.store}" for word in words)  # fmt: skip
        command = f"python -m benchmarks.chaos {options}"
        document.put_run(asked.write, f"chaos {asked.store}", command, outcome.rows())
    raise SystemExit(0 if outcome.good else 1)


if __name__ == "__main__":
    main()
