"""Photos a second through the whole path, beside a bare synchronous `/predict`; USSD hops a second.

    python -m benchmarks.journey [--photos 300] [--side 1024] [--hops 2000]

The whole path: a kiosk's upload by HTTP, the case and the photo on disk, the queue, a worker's
diagnosis committed, the SMS in the hands of the simulated network. Real processes, SQLite, our
own Redis, two photo workers.

The reference is what a model server does at least: decode, preprocess and run the reference's
model inside the request (`benchmarks/reference.py`), keep nothing, tell nobody. Two gunicorn
processes, one thread each. Same photos, same clients, same run; the two take turns.

The clients share the machine with what they measure, so the ratio says more than the rates; and
where others compute on it too, the CPU time of a photo (all processes that serve, clients left
out) says more than either.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import requests
from flask import Flask, jsonify, request

from benchmarks import reference
from gateway.agronomy import CROP_OF
from inference.drawn import LEAVES
from rig.house import KEY, House, free_port, house_in, wait_until
from rig.photos import draw_photos

LABELS = tuple(LEAVES)
CLIENTS = 8
ROUNDS = 3
WORKERS = 2


def reference_app() -> Flask:
    """The reference design: everything inside the request."""
    app = Flask("reference")
    reference.session()

    @app.post("/predict")
    def predict() -> object:
        label, confidence = reference.reference_predict(request.files["photo"].read())
        return jsonify(label=label, confidence=confidence)

    return app


@contextmanager
def reference_server() -> Iterator[tuple[str, int]]:
    """URL and process id."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers", str(WORKERS), "--bind"]
    command += [f"127.0.0.1:{port}", "--log-level", "error", "--no-control-socket"]
    with subprocess.Popen([*command, "benchmarks.journey:reference_app()"]) as server:
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/"), "the reference server")
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.terminate()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code > 0
    except requests.RequestException:
        return False


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time that these processes have used so far."""
    used = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def with_children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def in_parallel(work: Callable[[requests.Session, int], None], count: int) -> None:
    """Do `work` for 0..count-1 from CLIENTS threads, each with a connection of its own."""
    local = threading.local()

    def one(index: int) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        work(local.session, index)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, range(count)))


def time_reference(url: str, photos: Sequence[bytes]) -> float:
    """Photos a second."""

    def predict(session: requests.Session, index: int) -> None:
        answer = session.post(f"{url}/predict", files={"photo": photos[index]}, timeout=60)
        answer.raise_for_status()

    began = time.perf_counter()
    in_parallel(predict, len(photos))
    return len(photos) / (time.perf_counter() - began)


def time_journey(house: House, token: str, photos: Sequence[bytes], first: int) -> float:
    """Photos a second, until the last farmer's phone has its SMS."""
    before = last_sms(house)

    def upload(session: requests.Session, index: int) -> None:
        answer = session.post(
            f"{house.url}/api/photos",
            headers={"Authorization": f"Bearer {token}"},
            data={
                "phone": f"+25078{first + index:07d}",
                "crop": CROP_OF[LABELS[index % len(LABELS)]],
                "language": "en",
            },
            files={"photo": ("leaf.jpg", photos[index], "image/jpeg")},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text

    began = time.perf_counter()
    in_parallel(upload, len(photos))
    waiting = {f"+25078{first + index:07d}" for index in range(len(photos))}
    after = before
    until = time.monotonic() + 300
    while waiting:
        assert time.monotonic() < until, f"{len(waiting)} phones got nothing"
        for sms in messages(house, after, wait=10):
            after = sms["id"]
            waiting.discard(sms["phone"])
    return len(photos) / (time.perf_counter() - began)


def messages(house: House, after: int, wait: float = 0) -> list[dict[str, object]]:
    url = f"{house.simulator_url}/simulator/api/messages?after={after}&wait={wait}"
    with urlopen(url, timeout=wait + 30) as answer:
        found: list[dict[str, object]] = json.load(answer)["messages"]
    return found


def last_sms(house: House) -> int:
    return max((int(str(sms["id"])) for sms in messages(house, 0)), default=0)


def time_hops(house: House, hops: int) -> list[float]:
    """Milliseconds of each USSD hop: sessions of four hops from CLIENTS phones at a time."""
    took: list[float] = []

    def session_of_four(http: requests.Session, index: int) -> None:
        path: list[str] = []
        for typed in (None, "1", "1", "0"):
            path += [typed] if typed else []
            form = {
                "sessionId": f"ATUid_{index:032x}",
                "serviceCode": "*384*123#",
                "phoneNumber": f"+25079{index % 500:07d}",
                "networkCode": "99999",
                "text": "*".join(path),
            }
            began = time.perf_counter()
            answer = http.post(f"{house.url}/africastalking/{KEY}/ussd", data=form, timeout=10)
            took.append(1000 * (time.perf_counter() - began))
            assert answer.text.startswith(("CON ", "END ")), answer.text
            if answer.text.startswith("END "):
                break

    in_parallel(session_of_four, hops // 4)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=300, help="photos in each round")
    parser.add_argument("--side", type=int, default=1024, help="pixels of a photo's side")
    parser.add_argument("--hops", type=int, default=2000, help="USSD hops")
    asked = parser.parse_args()
    photos = draw_photos(asked.photos, asked.side)
    size = statistics.mean(map(len, photos)) / 1000
    print(
        f"{os.cpu_count()} cores; {asked.photos} drawn photos a round, {asked.side} px square, "
        f"{size:.0f} kB; {CLIENTS} clients; {WORKERS} photo workers; SQLite"
    )
    reference.build()
    with (
        tempfile.TemporaryDirectory() as folder,
        reference_server() as (url, reference_pid),
        house_in(
            Path(folder),
            shown=False,
            LEAFLINE_WORKERS=WORKERS,
            LEAFLINE_SEND_RATE=1000,
            LEAFLINE_WEB_THREADS=16,
        ) as house,
    ):
        token = house.command("kiosk", "add", "Benchmark", "--area", "Huye").stdout.split()[-1]
        time_reference(url, photos[:20])
        time_journey(house, token, photos[:20], 9_000_000)
        bare, whole, bare_cpu, whole_cpu = [], [], [], []
        ours, theirs = house.processes(), with_children(reference_pid)
        at_start = {pid: cpu_seconds([pid]) for pid in ours}
        for number in range(ROUNDS):
            used = cpu_seconds(theirs)
            bare.append(time_reference(url, photos))
            bare_cpu.append(1000 * (cpu_seconds(theirs) - used) / len(photos))
            used = cpu_seconds(ours)
            whole.append(time_journey(house, token, photos, 1_000_000 * (1 + number)))
            whole_cpu.append(1000 * (cpu_seconds(ours) - used) / len(photos))
            print(
                f"round {number + 1}: reference {bare[-1]:.1f}/s at {bare_cpu[-1]:.0f} ms CPU; "
                f"whole path {whole[-1]:.1f}/s at {whole_cpu[-1]:.0f} ms"
            )
        shares: dict[str, float] = {}
        for pid, name in ours.items():
            used = 1000 * (cpu_seconds([pid]) - at_start[pid]) / (ROUNDS * len(photos))
            shares[name.partition("-")[0]] = shares.get(name.partition("-")[0], 0) + used
        began = time.perf_counter()
        hops = time_hops(house, asked.hops)
        seconds = time.perf_counter() - began
    rate, reference_rate = statistics.median(whole), statistics.median(bare)
    cost, reference_cost = statistics.median(whole_cpu), statistics.median(bare_cpu)
    print(f"{'':20}{'photos/s':>10}{'CPU ms/photo':>14}")
    print(f"{'reference /predict':20}{reference_rate:10.1f}{reference_cost:14.1f}")
    print(f"{'whole path':20}{rate:10.1f}{cost:14.1f}")
    print(f"{'ratio':20}{rate / reference_rate:10.2f}{cost / reference_cost:14.2f}")
    spent = sorted(shares.items(), key=lambda share: -share[1])
    print("of which " + ", ".join(f"{name} {used:.1f}" for name, used in spent if used >= 0.1))
    marks = statistics.quantiles(hops, n=100)
    print(
        f"{'USSD':20}{len(hops) / seconds:10.1f} hops/s, "
        f"p50 {marks[49]:.1f} ms, p99 {marks[98]:.1f} ms ({len(hops)} hops)"
    )


if __name__ == "__main__":
    main()
