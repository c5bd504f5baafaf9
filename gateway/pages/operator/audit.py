"""The history: who did what. Operators' own steps first, everything on request, or one case."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from gateway.cases import codes
from gateway.context import Context
from gateway.pages.operator import happened, paging
from gateway.people import operators
from gateway.store.models import Case, Event

AT_THE_SERVER = "operator"
"""Who does things by command, without signing in."""


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/audit", endpoint="audit")
    def page() -> ResponseReturnValue:
        everything = request.args.get("who") == "all"
        typed = request.args.get("case", "").strip()[:20]
        query = select(Event, Case.code).outerjoin(Case, Case.id == Event.case_id)
        if typed:
            query = query.where(Case.code == _code(typed))
        # Ids of events grow with time, so that either order is the same; each has its index.
        by_time = not (typed or everything)
        query = paging.newest_first(query, Event.id, Event.at if by_time else None)
        with context.store.reading() as session:
            them = operators.listed(session)
            own = [operators.actor(row) for row in them]
            if by_time:
                query = query.where(Event.actor.in_([AT_THE_SERVER, *own]))
            rows = paging.pairs(session, query, lambda event: paging.written(event.id, event.at))
            lines = [event for event, _ in rows.rows]
            names = (
                happened.Names({operators.actor(row): row.name for row in them})
                if by_time
                else happened.Names.read(session, lines, them)
            )
        return render_template(
            "operator/audit.html",
            here_is="audit",
            page=rows,
            told=lambda event: happened.sentence(event, names),
            plain=happened.facts,
            everything=everything,
            typed=typed,
        )


def _code(typed: str) -> str:
    """The code as it is kept, or one that no case has."""
    try:
        return codes.parse(typed)
    except codes.BadCode:
        return ""
