"""The operator's pages: what goes on now, figures, people, texts, messages, the history."""

from __future__ import annotations

from flask import Blueprint

from gateway.context import Context
from gateway.pages.base import guard
from gateway.pages.operator import (
    account,
    audit,
    broadcasts,
    cases,
    costs,
    diseases,
    door,
    export,
    farmers,
    first,
    forms,
    heard,
    incidents,
    jobs,
    kiosks,
    messages,
    now,
    officers,
    quality,
    start,
    texts,
)


def blueprint(context: Context) -> Blueprint:
    pages = Blueprint("operator", __name__, url_prefix="/operator")
    # The door first: nothing of the others is reached without it.
    for room in (
        door, first, start, incidents, now, cases, farmers, diseases, export, quality, kiosks,
        officers, texts, messages, costs,
        heard, audit, broadcasts, jobs, account,
    ):  # fmt: skip
        room.add_to(pages, context)
    pages.context_processor(forms.names)
    return guard(pages)
