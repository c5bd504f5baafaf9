"""Incidents: what is wrong, and what to do about it; open ones head every page, closed ones stay
listed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from gateway.context import Context
from gateway.pages.operator import paging
from gateway.store.models import Incident

SHOWN = 50
"""Open ones that are read for a page; there is one a cause."""
HEADED = 3
"""Of these the head of a page names so many."""
REMEDIES = {
    "answers": "messages",
    "backup": "start",
    "channel": "messages",
    "escalations": "officers",
    "media": "messages",
    "messages": "messages",
    "money": "messages",
    "photos": "jobs",
    "process": "now",
    "redis": "jobs",
    "repairs": "jobs",
    "signin": "audit",
    "spool": "now",
    "sweep": "jobs",
}
"""What a cause begins with, to the page where its remedy starts. Each has a text
`operator_incident_<beginning>`; any other cause is `other`."""
OTHER = ("other", "now")


def add_to(pages: Blueprint, context: Context) -> None:
    def open_now() -> list[Incident]:
        """Asked for once a request, and only by pages that show it."""
        if "incidents" not in g:
            query = select(Incident).where(Incident.closed_at.is_(None))
            with context.store.reading() as session:
                g.incidents = session.scalars(
                    query.order_by(Incident.opened_at.desc()).limit(SHOWN)
                ).all()
        return list(g.incidents)

    @pages.context_processor
    def _names() -> dict[str, Any]:
        return {"open_incidents": open_now, "headed": HEADED, "remedy": remedy}

    @pages.get("/incidents", endpoint="incidents")
    def page() -> ResponseReturnValue:
        closed = select(Incident).where(Incident.closed_at.is_not(None))
        query = paging.newest_first(closed, Incident.id)
        with context.store.reading() as session:
            found = session.scalars(query).all()
        return render_template(
            "operator/incidents.html",
            here_is="incidents",
            page=paging.cut(found, lambda row: paging.written(row.id)),
        )


def remedy(cause: str) -> tuple[str, str]:
    """Key of the text that says what a cause means and what to do, and the page to do it on."""
    kind = cause.partition(":")[0]
    name, page = (kind, REMEDIES[kind]) if kind in REMEDIES else OTHER
    return f"operator_incident_{name}", page
