"""Messages that failed, to be sent again by a person's decision."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import defer

from gateway.context import Context
from gateway.outbox.resend import RESENT, resend
from gateway.pages.base.install import t
from gateway.pages.operator import door, paging
from gateway.people import msisdn
from gateway.store.models import Message
from gateway.store.states import MessageState


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/messages", endpoint="messages")
    def page() -> ResponseReturnValue:
        failed = select(Message).where(Message.state == MessageState.FAILED)
        query = paging.newest_first(
            failed.options(defer(Message.text)), Message.id, Message.final_at
        )
        with context.store.reading() as session:
            found = session.scalars(query).all()
        return render_template(
            "operator/messages.html",
            here_is="messages",
            page=paging.cut(found, _key),
            mask=msisdn.mask,
            resent=RESENT,
        )

    @pages.post("/messages/<int:message_id>/resend")
    def resend_message(message_id: int) -> ResponseReturnValue:
        with context.store.transaction() as session:
            made = resend(session, message_id, by=door.actor())
        if made:
            flash(t("operator_resend_done"), "good")
        else:
            flash(t("operator_resend_not"), "warn")
        return redirect(url_for("operator.messages"), 303)


def _key(message: Message) -> str:
    return paging.written(message.id, message.final_at or paging.EPOCH)
