"""Kiosks: add, pair a phone, place, opening days, disable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.context import Context
from gateway.figures import counts
from gateway.pages.base.install import t
from gateway.pages.operator import door, forms, paging
from gateway.people import PeopleError, kiosks, pairing
from gateway.store.models import Case, Diagnosis, Kiosk, KioskDevice, Photo

NEWEST = 500
"""Photos from which the share of poor ones is told."""


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
            facts = collect(session, kiosk)
        return render_template("operator/kiosk.html", here_is="kiosks", kiosk=kiosk, facts=facts)

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


@dataclass(frozen=True)
class Facts:
    last_seen: datetime | None
    """When its newest photo came."""
    today: int
    """Photos since midnight."""
    paired: int
    judged: int
    """Photos of which the machine said something lately, at most NEWEST."""
    poor: int
    """Those of them that are no leaf, cannot be read, or have a fault such as blur."""

    @property
    def poor_share(self) -> float | None:
        return self.poor / self.judged if self.judged else None


def collect(session: Session, kiosk: Kiosk) -> Facts:
    """In four queries."""
    theirs = Photo.source == f"kiosk:{kiosk.id}"
    midnight = counts.end_of_day() - timedelta(days=1)
    mine = select(Photo.received_at).join(Case, Case.id == Photo.case_id)
    last = session.scalar(
        mine.where(Case.kiosk_id == kiosk.id).order_by(Case.created_at.desc()).limit(1)
    )
    today = session.scalar(
        select(func.count()).select_from(Photo).where(Photo.received_at >= midnight, theirs)
    )
    paired = session.scalar(
        select(func.count())
        .select_from(KioskDevice)
        .where(
            KioskDevice.kiosk_id == kiosk.id,
            KioskDevice.paired_at.is_not(None),
            KioskDevice.revoked_at.is_(None),
        )
    )
    said = session.execute(
        select(Diagnosis.verdict, Diagnosis.detail)
        .join(Case, Case.id == Diagnosis.case_id)
        .where(Case.kiosk_id == kiosk.id)
        .order_by(Case.created_at.desc())
        .limit(NEWEST)
    ).all()
    poor = sum(
        verdict in ("no_leaf", "unreadable") or bool((detail or {}).get("quality"))
        for verdict, detail in said
    )
    return Facts(last, today or 0, paired or 0, len(said), poor)


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
