"""One farmer, by number. Each look is written down: a number opens all that she told."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import defer

from gateway.context import Context
from gateway.pages.base.install import t
from gateway.pages.operator import door, forms, happened
from gateway.pages.operator.messages import provider_says
from gateway.people import farmers, msisdn
from gateway.store.models import Case, Event, Farmer, Message

SHOWN = 50


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/farmers", endpoint="farmers")
    def page() -> ResponseReturnValue:
        return render_template("operator/farmers.html", here_is="cases")

    @pages.post("/farmers")
    def find_farmer() -> ResponseReturnValue:
        """The number stays out of addresses, which proxies and browsers keep."""
        try:
            phone = msisdn.parse(request.form.get("phone", ""), context.settings.region)
        except msisdn.BadNumber as error:
            forms.not_saved(error)
            return render_template("operator/farmers.html", here_is="cases"), 422
        with context.store.reading() as session:
            farmer = farmers.find(session, phone)
        if farmer is None:
            forms.refuse("phone", t("operator_farmer_unknown"))
            return render_template("operator/farmers.html", here_is="cases"), 404
        return redirect(url_for("operator.farmer", farmer_id=farmer.id), 303)

    @pages.get("/farmers/<farmer_id>", endpoint="farmer")
    def one(farmer_id: str) -> ResponseReturnValue:
        with context.store.transaction() as session:
            farmer = session.get(Farmer, farmer_id)
            if farmer is None or farmer.id in farmers.NO_PERSON:
                abort(404)
            session.add(Event(kind="farmer_shown", farmer_id=farmer.id, actor=door.actor()))
            cases = session.scalars(
                select(Case).where(Case.farmer_id == farmer.id)
                .order_by(Case.created_at.desc(), Case.id.desc()).limit(SHOWN)
            ).all()  # fmt: skip
            messages = session.scalars(
                select(Message).options(defer(Message.text))
                .where(Message.farmer_id == farmer.id)
                .order_by(Message.id.desc()).limit(SHOWN)
            ).all()  # fmt: skip
            looks = session.scalar(
                select(func.count()).select_from(Event)
                .where(Event.farmer_id == farmer.id, Event.kind == "farmer_shown")
            )  # fmt: skip
        return render_template(
            "operator/farmer.html", here_is="cases", farmer=farmer, looks=looks,
            cases=cases, messages=messages,
            mask=msisdn.mask, said=happened.label, provider_says=provider_says,
            crop=partial(happened.crop, context),
        )  # fmt: skip
