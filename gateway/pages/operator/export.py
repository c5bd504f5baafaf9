"""Figures to take away: cases as CSV, districts as GeoJSON. Neither names a person or a village."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from gateway.context import Context
from gateway.figures import counts
from gateway.pages.operator import diseases
from gateway.store.models import Case, Label

COLUMNS = (
    "case", "created_at", "source", "area", "crop", "label", "verdict", "confidence",
    "officer_label", "state",
)  # fmt: skip
CHUNK = 1000


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/cases.csv")
    def cases_csv() -> ResponseReturnValue:
        name = f"leafline-cases-{diseases.chosen_span()}-weeks.csv"
        response = Response(lines(context, diseases.chosen_span()), mimetype="text/csv")
        response.headers.set("Content-Disposition", "attachment", filename=name)
        return response

    @pages.get("/districts.geojson")
    def districts_geojson() -> ResponseReturnValue:
        span = diseases.chosen_span()
        with context.store.reading() as session:
            found = counts.diseases(session, counts.end_of_day(), span)
            where = diseases.positions(session)
        body = json.dumps(geojson(diseases.places(found, where)), ensure_ascii=False)
        response = Response(body, mimetype="application/geo+json")
        name = f"leafline-districts-{span}-weeks.geojson"
        response.headers.set("Content-Disposition", "attachment", filename=name)
        return response


def lines(context: Context, weeks: int) -> Iterator[str]:
    """The CSV, a chunk of rows at a time, so that a year of cases needs no room."""
    others = aliased(Label)
    newest = select(func.max(others.id)).where(others.case_id == Case.id).scalar_subquery()
    end = counts.end_of_day()
    query = (
        select(
            Case.code, Case.created_at, Case.source, Case.area, Case.crop, Case.label,
            Case.verdict, Case.confidence, Label.label, Case.state,
        )
        .outerjoin(Label, Label.id == newest)
        .where(Case.created_at >= end - timedelta(weeks=weeks))
        .order_by(Case.created_at)
        .execution_options(yield_per=CHUNK)
    )  # fmt: skip
    yield ",".join(COLUMNS) + "\r\n"
    with context.store.reading() as session:
        for chunk in session.execute(query).partitions():
            page = io.StringIO()
            writer = csv.writer(page)
            for code, at, source, area, crop, label, verdict, confidence, word, state in chunk:
                sure = "" if confidence is None else f"{confidence:.4f}"
                writer.writerow(
                    [code, at.isoformat(timespec="seconds"), source, plain(area), crop, label,
                     verdict, sure, word, state]
                )  # fmt: skip
            yield page.getvalue()


def plain(typed: str | None) -> str:
    """A typed value that no spreadsheet takes for a formula."""
    text = typed or ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def geojson(places: list[diseases.Place]) -> dict[str, object]:
    """A point a district (RFC 7946: longitude first; no geometry where no place is known)."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": place.position
                and {"type": "Point", "coordinates": [place.position[1], place.position[0]]},
                "properties": {"district": place.district, "cases": place.total, **place.counts},
            }
            for place in places
        ],
    }
