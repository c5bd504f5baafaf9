"""The operator's own account: another password, another authenticator."""

from __future__ import annotations

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature

from gateway import sessions
from gateway.context import Context
from gateway.pages.base import browser
from gateway.pages.base.install import t
from gateway.pages.operator import door, forms
from gateway.people import PeopleError, lockout, operator_account, operators, sign_ins

PURPOSE = "operator authenticator"
SECONDS_TO_CONFIRM = 15 * 60
"""For finding the phone and scanning the code."""


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/account", endpoint="account")
    def page() -> ResponseReturnValue:
        return _page()

    @pages.post("/account/sign-ins/<int:sign_in_id>/end")
    def end_sign_in(sign_in_id: int) -> ResponseReturnValue:
        with context.store.transaction() as session:
            ended = sign_ins.end_one(session, g.operator, sign_in_id)
        if ended:
            flash(t("operator_sign_in_ended"), "good")
        return redirect(url_for("operator.account"), 303)

    @pages.post("/account/sign-ins/end")
    def end_other_sign_ins() -> ResponseReturnValue:
        with context.store.transaction() as session:
            sign_ins.end_all(session, g.operator, but=g.sign_in.id)
        flash(t("operator_sign_in_ended"), "good")
        return redirect(url_for("operator.account"), 303)

    @pages.post("/account/password")
    def change_password() -> ResponseReturnValue:
        form = request.form
        if form.get("new", "") != form.get("again", ""):
            forms.refuse("again", t("operator_passwords_differ"))
            return _page(), 422
        try:
            row = operator_account.change_password(
                context.store, g.operator, form.get("password", ""), form.get("new", "")
            )
        except operators.WrongSecrets:
            forms.refuse("password", t("operator_password_wrong"))
            return _page(), 403
        except lockout.Locked as locked:
            return _page(door.closed(locked)), 429
        except PeopleError as error:
            forms.not_saved(error)
            return _page(), 422
        browser.remember(context, row)
        flash(t("operator_password_changed"), "good")
        return redirect(url_for("operator.account"), 303)

    @pages.post("/account/authenticator")
    def begin_authenticator() -> ResponseReturnValue:
        try:
            operator_account.prove(context.store, g.operator, request.form.get("password", ""))
        except operators.WrongSecrets:
            forms.refuse("proof", t("operator_password_wrong"))
            return _page(), 403
        except lockout.Locked as locked:
            return _page(door.closed(locked)), 429
        return _confirm(operator_account.new_secret())

    @pages.post("/account/authenticator/confirm")
    def confirm_authenticator() -> ResponseReturnValue:
        secret = _pending(request.form.get("pending", ""))
        try:
            row, codes = operator_account.change_authenticator(
                context.store, g.operator, secret, request.form.get("code", "")[:40]
            )
        except operators.WrongSecrets:
            forms.refuse("code", t("operator_code_wrong"))
            return _confirm(secret), 403
        except lockout.Locked as locked:
            return _confirm(secret, door.closed(locked)), 429
        browser.remember(context, row)
        return render_template(
            "operator/recovery.html", here_is="account", codes=[*map(operators.written, codes)]
        )

    def _confirm(secret: str, trouble: str | None = None) -> str:
        # Kept by the page and not by the store: until it is confirmed it is nobody's.
        pending = sessions.signer(PURPOSE).dumps([g.operator.id, secret])
        to = url_for("operator.confirm_authenticator")
        return scan(context, g.operator.name, secret, pending, to, trouble)

    def _page(trouble: str | None = None) -> str:
        with context.store.reading() as session:
            mine = sign_ins.listed(session, g.operator, browser.limits(context, door.ROLE))
        return render_template(
            "operator/account.html",
            here_is="account",
            trouble=trouble,
            sign_ins=mine,
            this_one=g.sign_in.id,
        )


def scan(
    context: Context, name: str, secret: str, pending: object, to: str, trouble: str | None = None
) -> str:
    """The page that shows an authenticator its secret, and sends the first code to `to`."""
    import segno

    uri = operators.uri_of(secret, name, context.settings.service_name)
    return render_template(
        "operator/authenticator.html",
        here_is="account",
        picture=segno.make(uri, error="l").svg_data_uri(scale=5, border=4, light="#fff"),
        secret=secret,
        pending=pending,
        action=to,
        trouble=trouble,
    )


def _pending(token: str) -> str:
    """The secret that this operator was shown lately; anything else is refused."""
    try:
        owner, secret = sessions.signer(PURPOSE).loads(token, max_age=SECONDS_TO_CONFIRM)
    except BadSignature:
        abort(400)
    if owner != g.operator.id:
        abort(403)
    return str(secret)
