"""The machine's clock is set back by an hour while a house is at work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from gateway.settings import ROOT
from gateway.store.models import Photo
from rig.house import wait_until
from rig.photos import draw_photos
from rig.site import opened
from rig.storm.audit import audit
from rig.storm.clients import Crowd
from rig.storm.evidence import gather, unfinished
from rig.storm.site import Site

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]

BACK = timedelta(hours=1)
CLOCK = ROOT / "rig" / "clock"


@pytest.fixture
def offset(tmp_path: Path) -> Path:
    """A file that says how far the clock of the house is from the true one."""
    path = tmp_path / "offset"
    path.write_text("0")
    return path


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, offset: Path) -> Iterator[Site]:
    """A house whose processes see the clock that `offset` makes; its Redis sees the true one."""
    folder = tmp_path_factory.mktemp("clock")
    with opened(folder, "sqlite", PYTHONPATH=CLOCK, CLOCK_OFFSET_FILE=offset) as site:
        yield site


def set_clock(offset: Path, by: timedelta) -> None:
    aside = offset.with_suffix(".aside")
    aside.write_text(str(by.total_seconds()))
    os.replace(aside, offset)


def newest_photo(site: Site) -> datetime:
    store = site.store()
    with store.reading() as session:
        at = session.scalars(select(Photo.received_at).order_by(Photo.id.desc())).first()
    store.close()
    assert at is not None
    return at


def test_nothing_waits_for_the_old_hour_to_come_again(site: Site, offset: Path) -> None:
    crowd = Crowd(site, draw_photos(10, 224), seed=11)
    with ExitStack() as stopped:
        for name in ("worker-1", "worker-2", "sender"):
            stopped.enter_context(site.stopped(name))
        crowd.run(photos=6, sessions=3, texts=4, spread=1, most=120)
        site.empty_redis()  # what waits is known to the store alone
        set_clock(offset, -BACK)
    crowd.run(photos=6, sessions=3, texts=4, spread=1, most=120, first=100)
    assert datetime.now(UTC) - newest_photo(site) > BACK * 0.9, "the clock was not set back"
    wait_until(lambda: not unfinished(site), "everything to be answered", 200)
    wait_until(lambda: not site.journal()["pending"], "the last reports")
    findings = audit(crowd.ledger, gather(site))
    assert findings.clean, vars(findings)
    assert crowd.ledger.unanswered == 0
    assert requests.get(f"{site.house.url}/health/ready", timeout=10).ok
