"""The officer's door: a link from an SMS and a PIN, or a number and a PIN."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Concatenate, ParamSpec

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from gateway import sessions
from gateway.cases import codes
from gateway.context import Context
from gateway.pages.base import browser, kept, language
from gateway.pages.base.kept import Kept
from gateway.people import lockout, msisdn, officer_links, officers, sign_ins
from gateway.store.base import now
from gateway.store.models import Event, Officer

log = logging.getLogger(__name__)

ROLE: sign_ins.Role = "officer"

P = ParamSpec("P")
Page = Callable[P, ResponseReturnValue]


@dataclass(frozen=True)
class Trouble:
    """Why nobody came in: a text, its values and an HTTP status."""

    text: str
    values: dict[str, object]
    status: int


WRONG_NUMBER = Trouble("officer_wrong_number", {}, 400)
ENDED = 403
"""Status of the sign-in page that stands where a form should have been taken."""


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get(f"{officer_links.PATH}<token>")
    def link(token: str) -> ResponseReturnValue:
        with context.store.reading() as session:
            found = officer_links.find(session, token)
        if found is None or found.officer.disabled_at is not None:
            return _ask_number(Trouble("officer_link_unknown", {}, 404))
        me = browser.present(context, ROLE)
        if me is not None and me.person.id == found.officer_id:
            return redirect(url_for("officer.case", code=found.case.code))
        if me is not None:
            return render_template("officer/other.html", officer=me.person), 403
        state = officer_links.state(found, now())
        if state != "open":
            return _ask_number(Trouble(f"officer_link_{state}", {}, 410), case=found.case.code)
        return render_template("officer/pin.html", token=token, trouble=None)

    @pages.post(f"{officer_links.PATH}<token>")
    def enter_by_link(token: str) -> ResponseReturnValue:
        with context.store.reading() as session:
            found = officer_links.find(session, token)
        if found is None or officer_links.state(found, now()) != "open":
            return redirect(url_for("officer.link", token=token))  # it says what is the matter
        trouble = _check(context, found.officer.phone, found.officer)
        if trouble is not None:
            page = render_template("officer/pin.html", token=token, trouble=trouble)
            return page, trouble.status
        with context.store.transaction() as session:
            row = officer_links.find(session, token, lock=True)
            if row is None or officer_links.state(row, now()) != "open":
                return redirect(url_for("officer.link", token=token))
            row.used_at = now()
            _record(session, found.officer, "link")
        return _enter(context, found.officer, found.case.code)

    @pages.get("/officer/sign-in")
    def sign_in() -> ResponseReturnValue:
        return _ask_number(None, case=_case_asked_for())

    @pages.post("/officer/sign-in")
    def enter() -> ResponseReturnValue:
        case = _case_asked_for()
        try:
            phone = msisdn.parse(request.form.get("phone", ""), context.settings.region)
        except msisdn.BadNumber:
            return _ask_number(WRONG_NUMBER, case=case)
        with context.store.reading() as session:
            found = officers.by_phone(session, phone)
        trouble = _check(context, phone, found)
        if trouble is not None or found is None:
            return _ask_number(trouble, case=case)
        with context.store.transaction() as session:
            _record(session, found, "number")
        return _enter(context, found, case)

    @pages.post("/officer/sign-out")
    def sign_out() -> ResponseReturnValue:
        """In all browsers: who leaves one in haste has not to think of the others."""
        if (me := browser.present(context, ROLE)) is not None:
            with context.store.transaction() as session:
                sign_ins.end_all(session, me.person)
        sessions.sign_out(ROLE)
        return redirect(url_for("officer.sign_in"))

    def sign_ins_page(officer: Officer) -> ResponseReturnValue:
        with context.store.reading() as session:
            mine = sign_ins.listed(session, officer, browser.limits(context, ROLE))
        return render_template(
            "officer/sign_ins.html", officer=officer, sign_ins=mine, this_one=g.sign_in.id
        )

    def end_sign_in(officer: Officer, sign_in_id: int) -> ResponseReturnValue:
        with context.store.transaction() as session:
            sign_ins.end_one(session, officer, sign_in_id)
        return redirect(url_for("officer.sign_ins"), 303)

    def end_other_sign_ins(officer: Officer) -> ResponseReturnValue:
        with context.store.transaction() as session:
            sign_ins.end_all(session, officer, but=g.sign_in.id)
        return redirect(url_for("officer.sign_ins"), 303)

    address = "/officer/sign-ins"
    pages.add_url_rule(address, "sign_ins", signed_in(context, sign_ins_page))
    for rest, name, page in (
        ("/<int:sign_in_id>/end", "end_sign_in", signed_in(context, end_sign_in)),
        ("/end", "end_other_sign_ins", signed_in(context, end_other_sign_ins)),
    ):
        pages.add_url_rule(f"{address}{rest}", name, page, methods=["POST"])


def signed_in(
    context: Context, page: Callable[Concatenate[Officer, P], ResponseReturnValue]
) -> Page[P]:
    """The page for whoever is signed in, handed in first; others are asked who they are."""

    @functools.wraps(page)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        found = browser.present(context, ROLE)
        if found is None:
            code = kwargs.get("code")
            if (words := kept.written()) is not None:
                return _ask_number(None, case=str(code) if code else None, words=words)
            return redirect(url_for("officer.sign_in", case=code))
        assert isinstance(found.person, Officer)
        g.sign_in = found.row
        return page(found.person, *args, **kwargs)

    return guarded


def _enter(context: Context, officer: Officer, case: str | None) -> ResponseReturnValue:
    browser.remember(context, officer)
    if (words := kept.carried()) is not None:
        return kept.page(words)
    spoken = None if language.COOKIE in request.cookies else officer.language
    if case is None:
        return redirect(url_for("officer.cases", lang=spoken))
    return redirect(url_for("officer.case", code=case, lang=spoken))


def _check(context: Context, phone: str, officer: Officer | None) -> Trouble | None:
    """Judge the PIN of the form; None when it is right."""
    pin = "".join(request.form.get("pin", "").split())[:40]
    place = sessions.place(context, officers.who(phone))
    try:
        officers.try_pin(context.store, phone, officer, pin, place)
    except lockout.Locked as locked:
        return _closed(locked.until)
    except officers.WrongPin as wrong:
        log.warning("wrong_pin officer=%s left=%s", officer.id if officer else None, wrong.left)
        if wrong.until is not None:
            return _closed(wrong.until)
        return Trouble("officer_wrong_pin", {"left": wrong.left}, 403)
    return None


def _closed(until: datetime) -> Trouble:
    minutes = max(1, -(-int((until - now()).total_seconds()) // 60))
    return Trouble("officer_locked", {"minutes": minutes}, 429)


def _record(session: Session, officer: Officer, by: str) -> None:
    event = Event(kind="officer_signed_in", actor=f"officer:{officer.id}", data={"by": by})
    session.add(event)


def _case_asked_for() -> str | None:
    """The case to show afterwards; only a code that could be one is carried along."""
    try:
        return codes.parse(request.values.get("case", ""))
    except codes.BadCode:
        return None


def _ask_number(
    trouble: Trouble | None, case: str | None = None, words: Kept | None = None
) -> ResponseReturnValue:
    page = render_template(
        "officer/sign_in.html",
        trouble=trouble,
        case=case,
        kept=words or kept.carried(),
        phone=request.form.get("phone", ""),
    )
    return page, trouble.status if trouble else ENDED if words else 200
