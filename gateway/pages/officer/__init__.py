"""The officer's pages: a link or a number and a PIN, their cases, and one case to act on."""

from __future__ import annotations

from flask import Blueprint

from gateway.context import Context
from gateway.pages.base import guard
from gateway.pages.officer import actions, case, door, listing, pictures


def blueprint(context: Context) -> Blueprint:
    pages = Blueprint("officer", __name__)
    for room in (door, listing, case, actions, pictures):
        room.add_to(pages, context)
    return guard(pages)
