"""The officer's own cases: how many wait and are late, a sieve to find some, and their duty."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway.agronomy.table import CROP_ROWS
from gateway.cases import codes
from gateway.cases.escalation import UNDO_FOR
from gateway.context import Context
from gateway.pages.base import t
from gateway.pages.officer import facts
from gateway.pages.officer.door import signed_in
from gateway.pages.officer.words import Words
from gateway.people import msisdn, officers
from gateway.store.base import now
from gateway.store.models import Officer
from gateway.teaching import labels

LAST_PAGE = 10_000
FEWEST_DIGITS = 4
LONGEST_SEARCH = 20
LONGEST_AREA = 80
CROP_CODES = (*(row.code for row in CROP_ROWS), facts.NO_CROP)

KEPT = ("crop", "area", "label", "late", "q", "show")
"""What of an address goes on to the next page."""


def add_to(pages: Blueprint, context: Context) -> None:
    def cases(officer: Officer) -> ResponseReturnValue:
        page = min(max(request.args.get("page", 1, int), 1), LAST_PAGE)
        done = request.args.get("show") == "answered"
        typed = request.args.get("q", "").strip()[:LONGEST_SEARCH]
        sieve = asked_for(typed)
        fetch = facts.answered if done else facts.waiting
        moment = now()
        with context.store.reading() as session:
            heap = None if done else facts.heap(session, officer, moment)
            rows, more = fetch(session, officer, page, sieve, moment) if sieve else ([], False)
        kept = {name: value for name, value in request.args.items() if name in KEPT and value}
        return render_template(
            "officer/list.html", officer=officer, rows=rows, page=page, more=more, done=done,
            say=Words(context.catalogue, moment), heap=heap, typed=typed, kept=kept,
            sieve=sieve, narrowed=sieve is None or sieve.any, undo_since=moment - UNDO_FOR,
        )  # fmt: skip

    def duty(officer: Officer) -> ResponseReturnValue:
        with context.store.transaction() as session:
            here = session.get_one(Officer, officer.id)
            officers.set_duty(session, here, request.form.get("on") == "1")
        return redirect(url_for("officer.cases"))

    def following(officer: Officer) -> ResponseReturnValue:
        try:
            after = codes.parse(request.args.get("after", ""))
        except codes.BadCode:
            after = None
        with context.store.reading() as session:
            code = facts.following(session, officer, after)
        if code is None:
            flash(t("officer_no_other_waits"), "good")
            return redirect(url_for("officer.cases"))
        return redirect(url_for("officer.case", code=code))

    pages.add_url_rule(
        "/officer", "cases", signed_in(context, cases), methods=["GET"], strict_slashes=False
    )
    pages.add_url_rule("/officer/next", "next", signed_in(context, following), methods=["GET"])
    pages.add_url_rule("/officer/duty", "duty", signed_in(context, duty), methods=["POST"])


def asked_for(typed: str) -> facts.Sieve | None:
    """The sieve of this request's address; nonsense in it lets everything through, but a search
    for what is neither a code nor the end of a number is None: it finds nothing."""
    args = request.args
    crop, label = args.get("crop", ""), args.get("label", "")
    sieve = facts.Sieve(
        crop=crop if crop in CROP_CODES else "",
        area=args.get("area", "")[:LONGEST_AREA],
        label=label if label in labels.CHOICES else "",
        late=args.get("late") == "1",
    )
    if not typed:
        return sieve
    try:
        return replace(sieve, code=codes.parse(typed))
    except codes.BadCode:
        digits = msisdn.ending(typed)
        return replace(sieve, digits=digits) if len(digits) >= FEWEST_DIGITS else None
