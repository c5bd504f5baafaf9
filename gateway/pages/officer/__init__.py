"""The officer's pages: a link or a number and a PIN, their cases, and one case to act on."""

from __future__ import annotations

from flask import Blueprint

from gateway.context import Context
from gateway.pages.base import guard
from gateway.pages.officer.actions import add_to as add_actions
from gateway.pages.officer.case import add_to as add_case
from gateway.pages.officer.door import add_to as add_door
from gateway.pages.officer.listing import add_to as add_listing
from gateway.pages.officer.pictures import add_to as add_pictures
from gateway.pages.officer.several import add_to as add_several


def blueprint(context: Context) -> Blueprint:
    pages = Blueprint("officer", __name__)
    for add in (add_door, add_listing, add_case, add_actions, add_several, add_pictures):
        add(pages, context)
    return guard(pages)
