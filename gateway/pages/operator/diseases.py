"""Cases by disease, place and week: the curve, the map, and what rises above its own past."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.agronomy import DISEASES, LABELS
from gateway.context import Context
from gateway.figures import counts, statistics
from gateway.figures.counts import OTHER, UNKNOWN, Count
from gateway.people import areas
from gateway.store.models import Kiosk

SPANS = (13, 26, 52)
"""Weeks that may be looked back."""
COLUMNS = (*LABELS, OTHER, UNKNOWN)
LEAST_WEEKS = statistics.BASELINE + statistics.LAG + 1


@dataclass(frozen=True)
class Place:
    """A district on the map. `position`: latitude and longitude, the middle of its kiosks."""

    district: str
    counts: dict[str, int]
    position: tuple[float, float] | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Picture:
    weeks: list[tuple[datetime, list[int]]]
    """(last day, count for each of COLUMNS), oldest first."""
    places: list[Place]
    rises: list[statistics.Rise]


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/cases", endpoint="diseases")
    def page() -> ResponseReturnValue:
        span = chosen_span()
        district = request.args.get("district", "")
        end = counts.end_of_day()
        with context.store.reading() as session:
            found = counts.diseases(session, end, max(span, LEAST_WEEKS))
            where = positions(session)
        return render_template(
            "operator/diseases.html",
            here_is="diseases",
            picture=draw(found, where, end, span, district),
            districts=sorted({count.district for count in found}),
            district=district,
            span=span,
            spans=SPANS,
            columns=COLUMNS,
        )


def chosen_span() -> int:
    span = request.args.get("weeks", type=int)
    return span if span in SPANS else SPANS[0]


def positions(session: Session) -> dict[str, tuple[float, float]]:
    """The middle of each district's kiosks, by the district's plain name. One query."""
    found = defaultdict(list)
    rows = session.execute(
        select(Kiosk.area, Kiosk.latitude, Kiosk.longitude).where(Kiosk.latitude.is_not(None))
    )
    for area, latitude, longitude in rows:
        units = areas.units(area)
        if units and latitude is not None and longitude is not None:
            found[units[0]].append((latitude, longitude))
    return {
        unit: (fmean(at[0] for at in points), fmean(at[1] for at in points))
        for unit, points in found.items()
    }


def draw(
    found: Sequence[Count],
    where: dict[str, tuple[float, float]],
    end: datetime,
    span: int,
    district: str = "",
) -> Picture:
    """Curve and places of the span, narrowed to a district if one is given; rises of all."""
    shown = [c for c in found if c.weeks_ago < span and district in ("", c.district)]
    totals: Counter[tuple[int, str]] = Counter()
    for count in shown:
        totals[count.weeks_ago, count.label] += count.count
    weeks = [
        (end - timedelta(days=7 * ago + 1), [totals[ago, label] for label in COLUMNS])
        for ago in reversed(range(span))
    ]
    return Picture(weeks, places(shown, where), rises(found))


def places(found: Iterable[Count], where: dict[str, tuple[float, float]]) -> list[Place]:
    """Districts with their counts, the most cases first."""
    by_district: dict[str, Counter[str]] = defaultdict(Counter)
    for count in found:
        by_district[count.district][count.label] += count.count
    listed = [
        Place(name, dict(labels), where.get(units[0]) if (units := areas.units(name)) else None)
        for name, labels in by_district.items()
    ]
    return sorted(listed, key=lambda place: (-place.total, place.district))


def rises(found: Iterable[Count]) -> list[statistics.Rise]:
    """What is above its own past, of the diseases of each known district."""
    series: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for count in found:
        well = count.label in DISEASES and DISEASES[count.label].well
        if count.district and count.label != UNKNOWN and not well:
            series[count.district, count.label].append((count.weeks_ago, count.count))
    return statistics.rising(
        {key: statistics.series(rows, LEAST_WEEKS) for key, rows in series.items()}
    )
