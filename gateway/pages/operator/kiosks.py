"""Kiosks: add, pair a phone, place, opening days, disable."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.context import Context
from gateway.pages.base.install import t
from gateway.pages.operator import door, forms, paging
from gateway.people import PeopleError, kiosks, pairing
from gateway.store.models import Kiosk


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/kiosks", endpoint="kiosks")
    def page() -> ResponseReturnValue:
        return _list()

    def _list() -> str:
        query = paging.oldest_first(select(Kiosk), Kiosk.id)
        with context.store.reading() as session:
            found = session.scalars(query).all()
        rows = paging.cut(found, lambda kiosk: paging.written(kiosk.id))
        return render_template("operator/kiosks.html", here_is="kiosks", page=rows)

    @pages.post("/kiosks")
    def add_kiosk() -> ResponseReturnValue:
        form = request.form
        try:
            area = context.areas.chosen(form.get("area", ""))
            with context.store.transaction() as session:
                kiosk, token = kiosks.add(session, form.get("name", ""), area, by=door.actor())
                code = pairing.new_code(session, kiosk)
        except PeopleError as error:
            forms.not_saved(error)
            return _list(), 422
        return _secrets(kiosk, code, token)

    @pages.get("/kiosks/<int:kiosk_id>", endpoint="kiosk")
    def one(kiosk_id: int) -> ResponseReturnValue:
        return _one(kiosk_id)

    def _one(kiosk_id: int) -> str:
        with context.store.reading() as session:
            kiosk = _get(session, kiosk_id)
        return render_template("operator/kiosk.html", here_is="kiosks", kiosk=kiosk)

    @pages.post("/kiosks/<int:kiosk_id>")
    def change_kiosk(kiosk_id: int) -> ResponseReturnValue:
        form = request.form
        try:
            with context.store.transaction() as session:
                kiosk = _get(session, kiosk_id)
                kiosks.change(
                    session,
                    kiosk,
                    area=context.areas.chosen(form.get("area", ""), before=kiosk.area),
                    opening=form.get("opening", "").strip() or None,
                    position=_position(form.get("latitude", ""), form.get("longitude", "")),
                    by=door.actor(),
                )
        except PeopleError as error:
            forms.not_saved(error)
            return _one(kiosk_id), 422
        flash(t("operator_saved"), "good")
        return redirect(url_for("operator.kiosk", kiosk_id=kiosk_id), 303)

    @pages.post("/kiosks/<int:kiosk_id>/pair")
    def pair_kiosk(kiosk_id: int) -> ResponseReturnValue:
        try:
            with context.store.transaction() as session:
                kiosk = _get(session, kiosk_id)
                code = pairing.new_code(session, kiosk)
        except PeopleError as error:
            door.not_saved(error)
            return redirect(url_for("operator.kiosk", kiosk_id=kiosk_id), 303)
        return _secrets(kiosk, code)

    @pages.post("/kiosks/<int:kiosk_id>/rotate")
    def rotate_kiosk(kiosk_id: int) -> ResponseReturnValue:
        keep = timedelta(hours=kiosks.KEPT_HOURS)
        try:
            with context.store.transaction() as session:
                kiosk = _get(session, kiosk_id)
                token = kiosks.rotate(session, kiosk, keep, by=door.actor())
                code = pairing.new_code(session, kiosk)
        except PeopleError as error:
            door.not_saved(error)
            return redirect(url_for("operator.kiosk", kiosk_id=kiosk_id), 303)
        return _secrets(kiosk, code, token)

    @pages.post("/kiosks/<int:kiosk_id>/service")
    def serve_kiosk(kiosk_id: int) -> ResponseReturnValue:
        with context.store.transaction() as session:
            kiosk = _get(session, kiosk_id)
            if request.form.get("on"):
                kiosks.enable(session, kiosk, by=door.actor())
            else:
                kiosks.disable(session, kiosk.name, by=door.actor())
        flash(t("operator_saved"), "good")
        return redirect(url_for("operator.kiosk", kiosk_id=kiosk_id), 303)

    def _secrets(kiosk: Kiosk, code: str, token: str | None = None) -> ResponseReturnValue:
        """Shown once, in the answer itself: no address holds them, no cache keeps them."""
        import segno

        link = pairing.link(context.settings.public_url or request.host_url, code)
        return render_template(
            "operator/secrets.html",
            here_is="kiosks",
            kiosk=kiosk,
            code=pairing.written(code),
            link=link,
            picture=segno.make(link, error="m").svg_data_uri(scale=5, border=4, light="#fff"),
            token=token,
        )


def _get(session: Session, kiosk_id: int) -> Kiosk:
    return session.get(Kiosk, kiosk_id) or abort(404)


def _position(latitude: str, longitude: str) -> tuple[float, float] | None:
    """Raises: PeopleError: one of the two is missing, or no number."""
    typed = [value.strip().replace(",", ".") for value in (latitude, longitude)]
    if typed == ["", ""]:
        return None
    read = []
    for field, value in zip(("latitude", "longitude"), typed, strict=True):
        try:
            read.append(float(value))
        except ValueError:
            text = "a position is two numbers, latitude and longitude"
            raise PeopleError("position_numbers", text, field=field) from None
    return read[0], read[1]
