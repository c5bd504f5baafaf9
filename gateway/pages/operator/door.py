"""The operator's door: name, password and one-time code; a viewer looks, an admin changes."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from gateway import sessions
from gateway.context import Context
from gateway.pages.base import browser, kept
from gateway.pages.base.install import csrf, t
from gateway.pages.base.kept import Kept
from gateway.people import PeopleError, lockout, operators, sign_ins
from gateway.store.base import now

log = logging.getLogger(__name__)

ROLE: sign_ins.Role = "operator"
OUTSIDE = frozenset(
    {
        "operator.sign_in",
        "operator.enter",
        "operator.first",
        "operator.first_secrets",
        "operator.first_confirm",
    }
)
BY_ANYBODY = frozenset(
    {
        "operator.sign_out",
        "operator.end_sign_in",
        "operator.end_other_sign_ins",
        "operator.change_password",
        "operator.begin_authenticator",
        "operator.confirm_authenticator",
        "operator.find_farmer",
    }
)
"""What a viewer may send too: what changes their own things alone, or nothing."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
MENU = (
    "now", "cases", "diseases", "model", "promises", "kiosks", "officers", "messages", "heard",
    "costs", "broadcasts", "texts", "audit", "start",
)  # fmt: skip


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.before_request
    def _who() -> ResponseReturnValue | None:
        if request.endpoint in OUTSIDE:
            return None
        return admit(context, changes=request.endpoint not in BY_ANYBODY)

    @pages.context_processor
    def _names() -> dict[str, Any]:
        return {
            "me": g.get("operator"),
            "may_change": "operator" in g and g.operator.role == operators.ADMIN,
            "menu": MENU,
            "areas": context.areas.every,
            "zone": context.desk.zone.key,
            "percent": percent,
            "tone": tone,
        }

    @pages.get("/sign-in")
    def sign_in() -> ResponseReturnValue:
        return _ask()

    @pages.post("/sign-in")
    def enter() -> ResponseReturnValue:
        form = request.form
        name = form.get("name", "")
        try:
            operator = operators.sign_in(
                context.store,
                name,
                form.get("password", ""),
                form.get("code", "")[:40],
                sessions.place(context, operators.who(name)),
            )
        except operators.WrongSecrets:
            log.warning("operator_refused")
            return _ask(t("operator_refused")), 403
        except lockout.Locked as locked:
            return _ask(closed(locked)), 429
        browser.remember(context, operator)
        if (words := kept.carried()) is not None:
            return kept.page(words)
        return redirect(_afterwards(), 303)

    @pages.post("/sign-out")
    def sign_out() -> ResponseReturnValue:
        """In all browsers: who leaves one in haste has not to think of the others."""
        with context.store.transaction() as session:
            sign_ins.end_all(session, g.operator)
        sessions.sign_out(ROLE)
        return redirect(url_for("operator.sign_in"), 303)


def admit(context: Context, *, changes: bool = True) -> ResponseReturnValue | None:
    """Let the request pass (None), send it to the door, or refuse it.

    Args:
        changes: whatever is not mere reading changes something, and is for admins.
    """
    found = browser.present(context, ROLE)
    if found is None:
        if (words := kept.written()) is not None:
            csrf.protect()  # a form of ours alone; the guard, which checks too, comes later
            return _ask(words=words), 403
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("operator.sign_in", next=wanted), 303)
    g.operator, g.sign_in = found.person, found.row
    if changes and request.method not in READING and g.operator.role != operators.ADMIN:
        abort(403)
    return None


def actor() -> str:
    """Who does what this request does, for the history."""
    return operators.actor(g.operator)


def closed(locked: lockout.Locked) -> str:
    """What to say to somebody who tried too often."""
    minutes = max(1, -(-int((locked.until - now()).total_seconds()) // 60))
    return t("operator_locked", minutes=minutes)


def why(error: PeopleError) -> str:
    """The reason, in the reader's language."""
    return t(f"operator_why_{error.code}", **error.values)


def not_saved(error: PeopleError) -> None:
    """Say on the next page why nothing was changed."""
    flash(t("operator_not_saved", why=why(error)), "bad")


def tone(name: str | None) -> Markup:
    """`warn` or `bad` as the attribute that colours a figure."""
    return Markup(' class="{}"').format(name) if name else Markup()


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _ask(trouble: str | None = None, words: Kept | None = None) -> str:
    return render_template(
        "operator/sign_in.html",
        trouble=trouble,
        kept=words or kept.carried(),
        name="" if words else request.form.get("name", ""),
        next=request.values.get("next", ""),
    )


def _afterwards() -> str:
    """The page that was wanted, if it is one of ours; no other site is sent to."""
    wanted = request.form.get("next", "")
    if not wanted.isprintable() or not wanted.isascii():
        return url_for("operator.now")  # no line end gets into a header
    ours = wanted == "/operator" or wanted.startswith(("/operator/", "/operator?"))
    return wanted if ours else url_for("operator.now")
