"""The officer's own cases with ages and deadlines, and their duty."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway.context import Context
from gateway.pages.officer import facts
from gateway.pages.officer.door import signed_in
from gateway.pages.officer.words import Words
from gateway.people import officers
from gateway.store.base import now
from gateway.store.models import Officer

LAST_PAGE = 10_000


def add_to(pages: Blueprint, context: Context) -> None:
    def cases(officer: Officer) -> ResponseReturnValue:
        page = min(max(request.args.get("page", 1, int), 1), LAST_PAGE)
        done = request.args.get("show") == "answered"
        fetch = facts.answered if done else facts.waiting
        with context.store.reading() as session:
            rows, more = fetch(session, officer, page)
        return render_template(
            "officer/list.html", officer=officer, rows=rows, page=page, more=more, done=done,
            say=Words(context.catalogue, now()),
        )  # fmt: skip

    def duty(officer: Officer) -> ResponseReturnValue:
        with context.store.transaction() as session:
            here = session.get_one(Officer, officer.id)
            officers.set_duty(session, here, request.form.get("on") == "1")
        return redirect(url_for("officer.cases"))

    pages.add_url_rule(
        "/officer", "cases", signed_in(context, cases), methods=["GET"], strict_slashes=False
    )
    pages.add_url_rule("/officer/duty", "duty", signed_in(context, duty), methods=["POST"])
