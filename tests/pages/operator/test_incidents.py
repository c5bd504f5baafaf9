"""What is wrong heads every page, with what to do about it; what is over stays listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import url_for

from gateway.cases import unanswered, undelivered
from gateway.context import Context
from gateway.jobs import sweeps, sweeps_messages
from gateway.outbox import money, network, trouble
from gateway.pages.operator import incidents as pages
from gateway.pages.operator import now as now_page
from gateway.pages.operator import quality
from gateway.people import guessing
from gateway.settings import ROOT
from gateway.store.base import now
from gateway.watch import beats, incidents, redis_writes, repairs, rows
from rig.desk import Person

PAGES = (
    "cases", "model", "promises", "kiosks", "officers", "messages", "broadcasts", "texts", "audit",
    "account",
)  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "fr", "rw", "sw"])
def test_an_open_incident_heads_every_page(viewer: Person, context: Context, lang: str) -> None:
    viewer.get(f"/operator/kiosks?lang={lang}")
    assert '<p class="notice bad">' not in viewer.page
    with context.store.transaction() as session:
        incidents.open_(session, "sweep:waiting_photos", "failed at 3 of its rows")
    seen = set()
    for page in PAGES:
        viewer.get(f"/operator/{page}")
        said = re.search(
            r'<p class="notice bad"><strong>(.+?)</strong> <a href="([^"]+)">', viewer.page
        )
        assert said, page
        seen.add((said[1], said[2]))
    assert len(seen) == 1
    for page in ("", "incidents"):
        viewer.get(f"/operator/{page}")
        assert next(iter(seen))[0] in viewer.page
        assert "failed at 3 of its rows" in viewer.page
    with context.store.transaction() as session:
        incidents.close(session, "sweep:waiting_photos")
    viewer.get("/operator/officers")
    assert next(iter(seen))[0] not in viewer.page
    viewer.get("/operator/incidents")
    assert "sweep:waiting_photos" in viewer.page


def test_many_at_once_do_not_push_the_page_away(viewer: Person, context: Context) -> None:
    with context.store.transaction() as session:
        for number in range(5):
            incidents.open_(session, f"repairs:sweep_{number}")
    viewer.get("/operator/kiosks?lang=en")
    assert viewer.page.count('<p class="notice bad">') == pages.HEADED
    assert "All 5 open incidents" in viewer.page


def raised() -> Iterator[str]:
    """What the program opens incidents for."""
    yield from (unanswered.CAUSE, undelivered.CAUSE, trouble.FAILED, trouble.SILENT)
    yield from (sweeps_messages.SPOOL, sweeps_messages.MEDIA, redis_writes.CAUSE)
    yield from (repairs.CAUSE, rows.CAUSE, network.cause_of("kannel"), money.CAUSE, guessing.CAUSE)
    yield from (beats.PROCESS, beats.MESSAGES, beats.PHOTOS, sweeps.MANY, sweeps.FOREIGN)


@pytest.mark.parametrize("cause", list(raised()))
def test_every_cause_has_its_own_remedy(viewer: Person, cause: str) -> None:
    key, page = pages.remedy(cause)
    assert key != pages.remedy("something:new")[0]
    with viewer.client.application.test_request_context():
        address = url_for(f"operator.{page}")
    assert viewer.get(address).status_code == 200


def test_the_guide_and_the_page_know_the_same_causes() -> None:
    guide = (ROOT / "docs" / "operating.md").read_text()
    assert set(re.findall(r"^\| `([a-z]+):", guide, re.M)) == set(pages.REMEDIES)


@pytest.mark.parametrize(
    ("waited", "tone"), [(None, ""), (59, ""), (61, "warn"), (599, "warn"), (601, "bad")]
)
def test_what_waits_too_long_is_coloured(waited: float | None, tone: str) -> None:
    moment = now()
    oldest = None if waited is None else moment - timedelta(seconds=waited)
    assert now_page.late(oldest, moment, 60) == tone


@pytest.mark.parametrize(
    ("share", "tone"),
    [(None, ""), (1.0, ""), (0.95, ""), (0.9, "warn"), (0.5, "bad"), (0.0, "bad")],
)
def test_a_broken_promise_is_coloured(share: float | None, tone: str) -> None:
    assert quality.kept_well(share) == tone
