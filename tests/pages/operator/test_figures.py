"""What the pages of figures say of a known crowd, and what leaves the house."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from gateway.context import Context
from gateway.figures.counts import BINS, Count, Share, Verdicts
from gateway.pages.operator import diseases, export, quality
from gateway.pages.operator import now as now_page
from gateway.store.base import now
from gateway.store.models import Case, Farmer, Kiosk
from gateway.watch import incidents
from rig import crowd
from rig.desk import Person

END = datetime(2026, 11, 25, tzinfo=UTC)
PAST = [2, 3, 2, 1, 2, 3, 1, 2, 2]


def counted(district: str, label: str, newest: int) -> list[Count]:
    series = [*PAST, newest]
    return [Count(ago, district, label, count) for ago, count in enumerate(reversed(series))]


def test_a_rise_is_drawn_and_a_healthy_one_is_none() -> None:
    found = counted("Huye", "maize_rust", 12) + counted("Huye", "healthy", 12)
    found += counted("", "maize_rust", 12)  # nobody knows where
    picture = diseases.draw(found, {"huye": (-2.6, 29.7)}, END, 13)
    assert [(r.district, r.label, r.count) for r in picture.rises] == [("Huye", "maize_rust", 12)]
    assert len(picture.weeks) == 13
    day, newest = picture.weeks[-1]
    assert day.date().isoformat() == "2026-11-24"
    assert dict(zip(diseases.COLUMNS, newest, strict=True))["maize_rust"] == 24
    assert [(p.district, p.total, p.position) for p in picture.places] == [
        ("Huye", 60, (-2.6, 29.7)),
        ("", 30, None),
    ]


def test_a_district_narrows_the_picture_but_hides_no_rise() -> None:
    found = counted("Huye", "maize_rust", 12) + counted("Rwamagana", "bean_spot", 2)
    picture = diseases.draw(found, {}, END, 13, "Rwamagana")
    assert [place.district for place in picture.places] == ["Rwamagana"]
    assert [rise.district for rise in picture.rises] == ["Huye"]


def test_geojson_has_longitude_first_and_no_invented_place() -> None:
    places = [
        diseases.Place("Huye", {"maize_rust": 3}, (-2.6, 29.7)),
        diseases.Place("Kayonza", {"healthy": 1}, None),
    ]
    known, unknown = export.geojson(places)["features"]  # type: ignore[misc]
    assert known["geometry"] == {"type": "Point", "coordinates": [29.7, -2.6]}
    assert known["properties"] == {"district": "Huye", "cases": 3, "maize_rust": 3}
    assert unknown["geometry"] is None


@pytest.mark.parametrize("typed", ["=1+1", "+250", "-2", "@x", "\tx"])
def test_no_formula_gets_into_a_spreadsheet(typed: str) -> None:
    assert export.plain(typed) == f"'{typed}"


def said(ago: int, verdict: str, bin_: int, count: int) -> Verdicts:
    return Verdicts(ago, verdict, bin_, count, count * (bin_ + 0.5) / BINS)


def test_weeks_of_the_machine() -> None:
    rows = [said(0, "advice", 9, 6), said(0, "unknown", 3, 3), said(0, "unreadable", 0, 1)]
    week, before = quality.weeks(rows, [Share(0, 4, 1)], END)[:2]
    assert week.photos == 10
    assert week.confidence == pytest.approx((6 * 0.95 + 3 * 0.35) / 9)
    assert (week.abstained, week.disagreed, week.labelled) == (0.4, 0.25, 4)
    assert (before.photos, before.confidence, before.abstained, before.disagreed) == (
        0, None, None, None,
    )  # fmt: skip


def test_drift_compares_two_weeks_with_the_twelve_before() -> None:
    rows = [said(ago, "advice", 9, 100) for ago in range(2, 14)]
    rows += [said(20, "unknown", 1, 5000)]  # too long ago to count
    steady = quality.comparisons([*rows, said(0, "advice", 9, 200)])
    assert [seen.verdict for seen in steady] == ["stable", "stable"]
    moved = quality.comparisons([*rows, said(0, "advice", 6, 100), said(1, "unknown", 6, 100)])
    assert [(seen.what, seen.verdict) for seen in moved] == [
        ("confidence", "alarm"),
        ("verdict", "alarm"),
    ]
    assert {seen.verdict for seen in quality.comparisons(rows)} == {"too_few"}


def test_the_figures_of_a_crowd(viewer: Person, context: Context) -> None:
    crowd.fill(context.store, 400, days=90)
    viewer.get("/operator/cases")
    assert "District 07" in viewer.page
    assert "data-latitude" in viewer.page
    viewer.get("/operator/model")
    assert "Population stability index" in viewer.page
    viewer.get("/operator/promises")
    assert viewer.page.count(" of ") >= 2
    viewer.get("/operator/")
    assert "RWF" in viewer.page

    rows = list(csv.DictReader(io.StringIO(viewer.get("/operator/cases.csv?weeks=26").text)))
    assert len(rows) == 400
    assert tuple(rows[0]) == export.COLUMNS
    assert "+2507" not in viewer.page
    assert {row["officer_label"] for row in rows} >= {"", "none"}
    answer = viewer.get("/operator/districts.geojson?weeks=26")
    assert answer.mimetype == "application/geo+json"
    features = json.loads(answer.text)["features"]
    assert sum(feature["properties"]["cases"] for feature in features) > 250


def test_only_the_span_is_exported(viewer: Person, context: Context) -> None:
    with context.store.transaction() as session:
        farmer = Farmer(phone="+250788000001", phone_digest="x")
        for number, days in enumerate((1, 100)):
            session.add(
                Case(
                    code=f"{number:07}",
                    farmer=farmer,
                    source="kiosk",
                    language="rw",
                    state="received",
                    area="=cmd",
                    created_at=now() - timedelta(days=days),
                )
            )
    body = viewer.get("/operator/cases.csv?weeks=13").text
    assert [row["area"] for row in csv.DictReader(io.StringIO(body))] == ["'=cmd"]


def test_districts_without_a_position_are_named(viewer: Person, context: Context) -> None:
    crowd.fill(context.store, 60, days=30)
    with context.store.transaction() as session:
        session.query(Kiosk).update({"latitude": None, "longitude": None})
    viewer.get("/operator/cases")
    assert "data-map-of" not in viewer.page
    assert "Not on the map" in viewer.page


def test_incidents_and_a_dead_queue_are_told(
    viewer: Person, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    with context.store.transaction() as session:
        incidents.open_(session, "channel:no_credit", "no message leaves")
    dead = Redis.from_url("unix:///nowhere/redis.sock")
    silent = replace(context, redis=dead)
    assert now_page.queue(silent) is None
    monkeypatch.setattr(now_page, "queue", lambda _: None)
    viewer.get("/operator/")
    assert "channel:no_credit" in viewer.page
    assert "Redis does not answer" in viewer.page


@pytest.mark.parametrize(
    "path",
    [
        "/operator/cases?weeks=abc",
        "/operator/cases?weeks=999&district=%00",
        "/operator/messages?before=x.y",
        "/operator/messages?before=99999999999999999.999999999999999999",
        "/operator/audit?before=-1.2",
        "/operator/audit?case=%27%22",
        "/operator/texts?of=xx&after=%F0",
        "/operator/kiosks?after=-1",
        "/operator/kiosks?after=99999999999999999999",
        "/operator/broadcasts?before=zz",
    ],
)
def test_nonsense_in_an_address_is_harmless(viewer: Person, path: str) -> None:
    assert viewer.get(path).status_code == 200
