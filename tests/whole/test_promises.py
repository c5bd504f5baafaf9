"""One house, its promises one after the other, with real processes ended for real.

Each test gives clients something to do while, or before, something ends; then half an hour passes
and the auditor of the chaos benchmark looks at everything since the beginning.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from rig.house import wait_until
from rig.photos import draw_photos
from rig.site import opened
from rig.storm.audit import audit
from rig.storm.clients import Crowd
from rig.storm.evidence import gather
from rig.storm.rest import come_to_rest
from rig.storm.site import Site
from rig.things import photo

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]

STOP_WITHIN = 20.0
FIRSTS = itertools.count(step=100)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("promises"), "sqlite") as site:
        yield site


@pytest.fixture(scope="module")
def crowd(site: Site) -> Crowd:
    return Crowd(site, draw_photos(10, 224), seed=3)


def load(crowd: Crowd, spread: float = 0.0) -> None:
    first = next(FIRSTS)
    crowd.run(photos=15, sessions=5, texts=8, spread=spread, most=240, first=first)


def check(site: Site, crowd: Crowd) -> None:
    """Half an hour later: nothing of what clients were ever told is missing, or there twice."""
    stops = come_to_rest(site)
    findings = audit(crowd.ledger, gather(site))
    assert findings.clean, vars(findings)
    assert crowd.ledger.unanswered == 0
    assert max(stops) < STOP_WITHIN


def test_a_rolling_restart_under_load(site: Site, crowd: Crowd) -> None:
    clients = threading.Thread(target=load, args=(crowd, 20.0))
    clients.start()
    took: dict[str, float] = {}
    for name in ("web", "worker-1", "worker-2", "sender", "scheduler", "redis"):
        before = site.house.processes(name)
        began = time.monotonic()
        os.kill(min(before), signal.SIGTERM)
        wait_until(
            lambda before=before, name=name: not set(before) & set(site.house.processes(name)),
            f"{name} to end",
        )
        took[name] = time.monotonic() - began
        wait_until(lambda name=name: site.house.processes(name), f"{name} to be back")
    clients.join()
    assert all(seconds < STOP_WITHIN for seconds in took.values()), took
    check(site, crowd)


def test_a_power_cut_right_after_the_answers(site: Site, crowd: Crowd) -> None:
    load(crowd)
    site.power_cut()
    check(site, crowd)


def test_redis_comes_back_empty_with_a_full_queue(site: Site, crowd: Crowd) -> None:
    with site.stopped("worker"):
        load(crowd)
        site.empty_redis()
        wait_until(lambda: site.house.processes("redis"), "Redis to be back")
    check(site, crowd)


@contextlib.contextmanager
def full_disk(site: Site) -> Iterator[None]:
    """No file of the web process can grow any more, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    pids = list(site.house.processes("web"))
    try:
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        yield
    finally:
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux only")
def test_a_full_disk_refuses_and_forgets_nothing(site: Site, crowd: Crowd) -> None:
    def upload() -> requests.Response:
        return requests.post(
            f"{site.house.url}/api/photos",
            headers={"Authorization": f"Bearer {site.token}"},
            data={"phone": "+250780009999", "crop": "maize", "client_id": "full-disk"},
            files={"photo": ("leaf.jpg", photo(77), "image/jpeg")},
            timeout=30,
        )

    def post(kind: str, form: dict[str, str]) -> requests.Response:
        return requests.post(f"{site.webhooks}/{kind}", data=form, timeout=30)

    sms = {"from": "+250730009999", "id": "full-disk", "text": "HELP", "to": "384"}
    hop = {"sessionId": "full-disk", "phoneNumber": "+250790009999", "text": ""}
    with full_disk(site):
        answer = upload()
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert post("sms", sms).status_code == 503
        screen = post("ussd", hop)
        assert screen.status_code == 200
        assert screen.text.startswith(("CON ", "END "))
    answer = upload()
    assert answer.status_code == 202
    assert post("sms", sms).status_code == 200
    crowd.ledger.uploads["full-disk"].add(answer.json()["case"])
    crowd.ledger.phones["full-disk"] = "+250780009999"
    crowd.ledger.sms["full-disk"] = "+250730009999"
    check(site, crowd)


@pytest.mark.parametrize("where", ["a read-only file system", "a file where the spool should be"])
def test_a_start_without_a_spool_is_refused(tmp_path: Path, where: str) -> None:
    from rig.house import House

    house = House(tmp_path)
    if where == "a read-only file system":
        house.environment["LEAFLINE_HOME"] = "/proc/leafline"
    else:
        house.home.mkdir()
        (house.home / "spool").write_text("")
    answer = house.command("up", seconds=120)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert len(answer.stderr.splitlines()) == 1, answer.stderr
    assert "LEAFLINE_HOME" in answer.stderr
