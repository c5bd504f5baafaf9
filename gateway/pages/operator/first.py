"""The first operator: the link that the terminal shows makes an admin, in three steps."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature

from gateway import sessions
from gateway.context import Context
from gateway.pages.base import browser
from gateway.pages.base.install import t
from gateway.pages.operator import account, forms
from gateway.people import PeopleError, first_operator, operator_account, operators

PURPOSE = "first operator"
SECONDS_TO_CONFIRM = 60 * 60
"""For finding an authenticator and scanning the code."""


def add_to(pages: Blueprint, context: Context) -> None:
    store, home = context.store, context.settings.home

    @pages.get("/first")
    def first() -> ResponseReturnValue:
        link = request.args.get("code", "")[:64]
        try:
            first_operator.check(store, home, link)
        except first_operator.LinkEnded:
            return _ended()
        return _form(link)

    @pages.post("/first")
    def first_secrets() -> ResponseReturnValue:
        form = request.form
        link = form.get("link", "")[:64]
        try:
            first_operator.check(store, home, link)
            name = operators.name_of(form.get("name", ""))
            hashed = operators.hash_of(form.get("new", ""))
        except first_operator.LinkEnded:
            return _ended()
        except PeopleError as error:
            forms.not_saved(error)
            return _form(link), 422
        if form.get("new", "") != form.get("again", ""):
            forms.refuse("again", t("operator_passwords_differ"))
            return _form(link), 422
        return _confirm(link, name, hashed, operator_account.new_secret())

    @pages.post("/first/confirm")
    def first_confirm() -> ResponseReturnValue:
        try:
            sealed = request.form.get("pending", "")
            kept = sessions.signer(PURPOSE).loads(sealed, max_age=SECONDS_TO_CONFIRM)
            link, name, hashed, secret = map(str, kept)
            operator, codes = first_operator.make(
                store,
                home,
                link,
                name=name,
                password_hash=hashed,
                secret=secret,
                typed=request.form.get("code", "")[:40],
            )
        except (BadSignature, first_operator.LinkEnded):
            return _ended()
        except operators.WrongSecrets:
            forms.refuse("code", t("operator_code_wrong"))
            return _confirm(link, name, hashed, secret), 403
        browser.remember(context, operator)
        g.operator = operator
        shown = [*map(operators.written, codes)]
        return render_template("operator/recovery.html", here_is="account", codes=shown, first=True)

    def _confirm(link: str, name: str, hashed: str, secret: str) -> str:
        # Kept by the page and not by the store: until it is confirmed nobody is made.
        pending = sessions.signer(PURPOSE).dumps([link, name, hashed, secret])
        return account.scan(context, name, secret, pending, url_for("operator.first_confirm"))


def _form(link: str) -> str:
    return render_template("operator/first.html", link=link)


def _ended() -> ResponseReturnValue:
    return render_template("operator/first_ended.html"), 403
