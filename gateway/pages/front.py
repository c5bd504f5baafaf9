"""`/`: what this is, and the doors for those who work with it."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from gateway.context import Context
from gateway.pages.base import guard


def blueprint(context: Context) -> Blueprint:
    pages = Blueprint("front", __name__)

    @pages.get("/")
    def doors() -> ResponseReturnValue:
        return render_template("front.html", simulator=context.settings.simulator_on)

    return guard(pages)
