"""Writing to the farmers of an area: a dry run, a draft, and another person's approval."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from gateway.broadcasts import broadcast
from gateway.broadcasts.broadcast import BroadcastError, Reach
from gateway.context import Context
from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import Catalogue
from gateway.pages.base.install import t
from gateway.pages.operator import forms, paging
from gateway.store.models import Broadcast

AREA_LENGTH = 80


@dataclass
class Draft:
    """What the form holds, and what is wrong with it."""

    area: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    """As they will be sent: folded to GSM 03.38."""
    septets: dict[str, int] = field(default_factory=dict)
    faults: bool = False

    def blame(self, name: str, key: str, **values: object) -> None:
        """Say at the field `name` what is wrong with it."""
        self.faults = True
        forms.refuse(name, t(key, **values))


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/broadcasts", endpoint="broadcasts")
    def page() -> ResponseReturnValue:
        return _list(Draft())

    @pages.post("/broadcasts/dry-run")
    def dry_run() -> ResponseReturnValue:
        draft = read(context.catalogue)
        if draft.faults:
            return _list(draft), 422
        return _preview(draft)

    @pages.post("/broadcasts")
    def keep_draft() -> ResponseReturnValue:
        draft = read(context.catalogue)
        if draft.faults:
            return _list(draft), 422
        try:
            with context.store.transaction() as session:
                reach = broadcast.reach(session, draft.area, frozenset(draft.texts))
                row = broadcast.draft(session, g.operator, draft.area, draft.texts, reach.farmers)
        except BroadcastError as error:
            draft.blame("area", f"operator_broadcast_{error.code}")
            return _list(draft), 422
        flash(t("operator_broadcast_drafted"), "good")
        return redirect(url_for("operator.broadcast", broadcast_id=row.id), 303)

    @pages.get("/broadcasts/<int:broadcast_id>", endpoint="broadcast")
    def one(broadcast_id: int) -> ResponseReturnValue:
        with context.store.reading() as session:
            row = session.get(Broadcast, broadcast_id) or abort(404)
            names = (row.drafter.name, row.decider.name if row.decider else None)
            reach = _reach_of(row) if row.state == broadcast.DRAFT else None
        return render_template(
            "operator/broadcast.html",
            here_is="broadcasts",
            row=row,
            names=names,
            reach=reach,
            own=row.drafted_by == g.operator.id,
            septets=gsm7.septets,
            rate=context.settings.send_rate,
        )

    @pages.post("/broadcasts/<int:broadcast_id>/<any(approve, cancel):decision>")
    def decide(broadcast_id: int, decision: str) -> ResponseReturnValue:
        step = broadcast.approve if decision == "approve" else broadcast.cancel
        try:
            with context.store.transaction() as session:
                step(session, g.operator, broadcast_id)
            flash(t("operator_saved"), "good")
        except BroadcastError as error:
            if error.code == "not_found":
                abort(404)
            flash(t(f"operator_broadcast_{error.code}"), "bad")
        return redirect(url_for("operator.broadcast", broadcast_id=broadcast_id), 303)

    def _list(draft: Draft) -> str:
        query = paging.newest_first(select(Broadcast), Broadcast.id)
        with context.store.reading() as session:
            found = session.scalars(query).all()
        return render_template(
            "operator/broadcasts.html",
            here_is="broadcasts",
            page=paging.cut(found, lambda row: paging.written(row.id)),
            draft=draft,
        )

    def _preview(draft: Draft) -> str:
        with context.store.reading() as session:
            reach = broadcast.reach(session, draft.area, frozenset(draft.texts))
        return render_template(
            "operator/dry_run.html",
            here_is="broadcasts",
            draft=draft,
            reach=reach,
            rate=context.settings.send_rate,
        )

    def _reach_of(row: Broadcast) -> Reach:
        with context.store.reading() as session:
            return broadcast.reach(session, row.area, frozenset(row.texts))


def read(texts: Catalogue) -> Draft:
    """The form, judged: a text must be GSM 03.38 and fit one SMS, and English must be there. Each
    ends with how to get no more."""
    draft = Draft(area=request.form.get("area", "").strip()[:AREA_LENGTH])
    if not draft.area:
        draft.blame("area", "operator_broadcast_no_area")
    for code in texts.languages:
        # Browsers send CR LF; an SMS holds one septet a line end.
        typed = request.form.get(f"text_{code}", "").replace("\r\n", "\n").strip()
        if not typed:
            continue
        try:
            text = gsm7.fold(typed)
        except gsm7.NotGsm as error:
            letters = " ".join(error.letters)
            draft.blame(f"text_{code}", "operator_broadcast_letters", spoken=code, letters=letters)
            text = typed
        else:
            end = texts.render("broadcast_end", code)
            text = text if text.endswith(end) else f"{text} {end}"
            draft.septets[code] = gsm7.septets(text)
            if draft.septets[code] > gsm7.SINGLE:
                septets = draft.septets[code]
                draft.blame(f"text_{code}", "operator_broadcast_long", spoken=code, septets=septets)
        draft.texts[code] = text
    if broadcast.FALLBACK not in draft.texts:
        draft.blame(f"text_{broadcast.FALLBACK}", "operator_broadcast_no_text")
    return draft
