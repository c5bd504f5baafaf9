"""The officer's door: a link from an SMS and a PIN, or a number and a PIN."""

from __future__ import annotations

import functools
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Concatenate, ParamSpec

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash, generate_password_hash

from gateway import sessions
from gateway.cases import codes
from gateway.context import Context
from gateway.pages.base import kept, language
from gateway.pages.base.kept import Kept
from gateway.people import lockout, msisdn, officer_links, officers
from gateway.store.base import now
from gateway.store.models import Event, Officer

log = logging.getLogger(__name__)

ROLE = "officer"
LIFETIME = timedelta(hours=12)

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
        me = present(context)
        if me is not None and me.id == found.officer_id:
            return redirect(url_for("officer.case", code=found.case.code))
        if me is not None:
            return render_template("officer/other.html", officer=me), 403
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
        trouble = _check(context, f"officer link {found.id}", found.officer)
        if trouble is not None:
            page = render_template("officer/pin.html", token=token, trouble=trouble)
            return page, trouble.status
        with context.store.transaction() as session:
            row = officer_links.find(session, token, lock=True)
            if row is None or officer_links.state(row, now()) != "open":
                return redirect(url_for("officer.link", token=token))
            row.used_at = now()
            _record(session, found.officer, "link")
        return _enter(found.officer, found.case.code)

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
        trouble = _check(context, f"officer {phone}", found)
        if trouble is not None or found is None:
            return _ask_number(trouble, case=case)
        with context.store.transaction() as session:
            _record(session, found, "number")
        return _enter(found, case)

    @pages.post("/officer/sign-out")
    def sign_out() -> ResponseReturnValue:
        sessions.sign_out(ROLE)
        return redirect(url_for("officer.sign_in"))


def signed_in(
    context: Context, page: Callable[Concatenate[Officer, P], ResponseReturnValue]
) -> Page[P]:
    """The page for whoever is signed in, handed in first; others are asked who they are."""

    @functools.wraps(page)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        officer = present(context)
        if officer is None:
            code = kwargs.get("code")
            if (words := kept.written()) is not None:
                return _ask_number(None, case=str(code) if code else None, words=words)
            return redirect(url_for("officer.sign_in", case=code))
        return page(officer, *args, **kwargs)

    return guarded


def present(context: Context) -> Officer | None:
    """The officer signed in here, in service and with the PIN they signed in with."""
    identity, _, stamp = str(sessions.signed_in(ROLE) or "").partition(".")
    if not identity.isdecimal():
        return None
    with context.store.reading() as session:
        officer = session.get(Officer, int(identity))
    if officer is None or officer.disabled_at is not None or stamp != _stamp(officer):
        return None
    return officer


def _stamp(officer: Officer) -> str:
    """Changes with the PIN: a new one ends the sign-ins of the old."""
    return hashlib.sha256((officer.pin_hash or "").encode()).hexdigest()[:12]


def _enter(officer: Officer, case: str | None) -> ResponseReturnValue:
    sessions.sign_in(ROLE, f"{officer.id}.{_stamp(officer)}", LIFETIME)
    if (words := kept.carried()) is not None:
        return kept.page(words)
    spoken = None if language.COOKIE in request.cookies else officer.language
    if case is None:
        return redirect(url_for("officer.cases", lang=spoken))
    return redirect(url_for("officer.case", code=case, lang=spoken))


def _check(context: Context, door: str, officer: Officer | None) -> Trouble | None:
    """Judge the PIN of the form; None when it is right. A number that is nobody's takes as long
    and is answered alike."""
    try:
        left = lockout.count_try(context.store, door)
    except lockout.Locked as locked:
        return _closed(locked.until)
    pin = "".join(request.form.get("pin", "").split())[:40]
    if officer is not None and officers.right_pin(officer, pin):
        lockout.open_again(context.store, door)
        return None
    if officer is None:
        check_password_hash(_nobody(), pin)
    log.warning("wrong_pin officer=%s left=%s", officer.id if officer else None, left)
    if left:
        return Trouble("officer_wrong_pin", {"left": left}, 403)
    if officer is not None:
        with context.store.transaction() as session:
            session.add(Event(kind="pin_locked", actor=f"officer:{officer.id}"))
    return _closed(now() + lockout.CLOSED_FOR)


def _closed(until: datetime) -> Trouble:
    minutes = max(1, -(-int((until - now()).total_seconds()) // 60))
    return Trouble("officer_locked", {"minutes": minutes}, 429)


@functools.cache
def _nobody() -> str:
    return generate_password_hash("of nobody")


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
