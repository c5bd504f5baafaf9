"""Extension officers: add, area, languages, working hours, a new PIN, disable."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.context import Context
from gateway.pages.base.install import t
from gateway.pages.operator import door, forms, paging
from gateway.people import PeopleError, msisdn, officers
from gateway.store.base import now
from gateway.store.models import Escalation, Officer


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/officers", endpoint="officers")
    def page() -> ResponseReturnValue:
        return _list()

    def _list() -> str:
        open_cases = (
            select(func.count(Escalation.id))
            .where(Escalation.officer_id == Officer.id, Escalation.closed_at.is_(None))
            .scalar_subquery()
        )
        query = paging.oldest_first(select(Officer, open_cases), Officer.id)
        with context.store.reading() as session:
            rows = paging.pairs(session, query, lambda officer: paging.written(officer.id))
        return render_template(
            "operator/officers.html",
            here_is="officers",
            page=rows,
            mask=msisdn.mask,
        )

    @pages.post("/officers")
    def add_officer() -> ResponseReturnValue:
        form = request.form
        try:
            phone = msisdn.parse(form.get("phone", ""), context.settings.region)
            area = context.areas.chosen(form.get("area", ""), everywhere=True)
            with context.store.transaction() as session:
                officer, pin = officers.add(
                    session,
                    phone,
                    form.get("name", ""),
                    area,
                    _languages(),
                    by=door.actor(),
                )
        except PeopleError as error:
            forms.not_saved(error)
            return _list(), 422
        return _pin(officer, pin)

    @pages.get("/officers/<int:officer_id>", endpoint="officer")
    def one(officer_id: int) -> ResponseReturnValue:
        return _one(officer_id)

    def _one(officer_id: int) -> str:
        with context.store.reading() as session:
            officer = _get(session, officer_id)
            open_, late, answered = load(session, officer)
        return render_template(
            "operator/officer.html", here_is="officers", officer=officer, mask=msisdn.mask,
            open=open_, late=late, answered=answered, at=now(),
        )  # fmt: skip

    @pages.post("/officers/<int:officer_id>")
    def change_officer(officer_id: int) -> ResponseReturnValue:
        form = request.form
        try:
            with context.store.transaction() as session:
                officer = _get(session, officer_id)
                typed = form.get("area", "")
                officers.change(
                    session,
                    officer,
                    name=form.get("name", ""),
                    area=context.areas.chosen(typed, everywhere=True, before=officer.area),
                    languages=_languages(),
                    work_days="".join(sorted(set(form.getlist("day")))),
                    work_hours=f"{form.get('from', '')}-{form.get('until', '')}",
                    on_duty=bool(form.get("on_duty")),
                    by=door.actor(),
                )
        except PeopleError as error:
            forms.not_saved(error)
            return _one(officer_id), 422
        flash(t("operator_saved"), "good")
        return redirect(url_for("operator.officer", officer_id=officer_id), 303)

    @pages.post("/officers/<int:officer_id>/pin")
    def new_pin(officer_id: int) -> ResponseReturnValue:
        with context.store.transaction() as session:
            officer = _get(session, officer_id)
            pin = officers.new_pin(session, officer, by=door.actor())
        return _pin(officer, pin)

    @pages.post("/officers/<int:officer_id>/service")
    def serve_officer(officer_id: int) -> ResponseReturnValue:
        with context.store.transaction() as session:
            officer = _get(session, officer_id)
            if request.form.get("on"):
                officers.enable(session, officer, by=door.actor())
            else:
                officers.disable(session, officer.id, by=door.actor())
        flash(t("operator_saved"), "good")
        return redirect(url_for("operator.officer", officer_id=officer_id), 303)

    def _languages() -> list[str]:
        """Those ticked, in the catalogue's order, with the officer's own in front."""
        ticked = request.form.getlist("language")
        own = request.form.get("own", "")
        known = [code for code in context.catalogue.languages if code in {*ticked, own}]
        return sorted(known, key=lambda code: code != own)


def load(session: Session, officer: Officer) -> tuple[int, int, int]:
    """How many cases wait for an officer, how many of them for more than a day, and how many were
    answered in the last 30 days. In two queries."""
    moment, count = now(), func.count()
    mine = Escalation.officer_id == officer.id
    open_, late = session.execute(
        select(count, count.filter(Escalation.opened_at < moment - timedelta(days=1))).where(
            mine, Escalation.closed_at.is_(None)
        )
    ).one()
    answered = session.scalar(
        select(count).where(
            mine,
            Escalation.closed_at >= moment - timedelta(days=30),
            Escalation.outcome == "answered",
        )
    )
    return open_, late, answered or 0


def _pin(officer: Officer, pin: str) -> ResponseReturnValue:
    return render_template("operator/pin.html", here_is="officers", officer=officer, pin=pin)


def _get(session: Session, officer_id: int) -> Officer:
    return session.get(Officer, officer_id) or abort(404)
