"""The operator's pages: what goes on now, figures, people, texts, messages, the history."""

from __future__ import annotations

from flask import Blueprint

from gateway.context import Context
from gateway.pages.base import guard
from gateway.pages.operator import (
    account,
    audit,
    broadcasts,
    diseases,
    door,
    export,
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
    texts,
)


def blueprint(context: Context) -> Blueprint:
    pages = Blueprint("operator", __name__, url_prefix="/operator")
    # The door first: nothing of the others is reached without it.
    for room in (
        door, first, incidents, now, diseases, export, quality, kiosks, officers, texts, messages,
        heard, audit, broadcasts, jobs, account,
    ):  # fmt: skip
        room.add_to(pages, context)
    pages.context_processor(forms.names)
    return guard(pages)
