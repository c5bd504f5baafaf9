"""Messages of any state, with what the provider said of them; a failed one sent again, and a test
that shows whether messages arrive at all."""

from __future__ import annotations

import secrets

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from gateway import outbox
from gateway.context import Context
from gateway.outbox.kinds import Kind
from gateway.outbox.resend import RESENT, resend
from gateway.pages.base.install import spoken, t, text_or_name
from gateway.pages.operator import door, forms, paging
from gateway.people import msisdn
from gateway.store.models import Case, DeliveryReport, Event, Message
from gateway.store.states import MessageState

SHOWN = tuple(state for state in MessageState if state != MessageState.RECEIVED)
ALL = "all"
BY_END = (MessageState.FAILED, MessageState.DELIVERED, MessageState.CANCELLED)
"""States that are an end: listed by when they ended, as an index has them."""
ENDED = (*BY_END, MessageState.UNKNOWN)
TEST = "test:"
"""What the key of a test begins with."""


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/messages", endpoint="messages")
    def page() -> ResponseReturnValue:
        return _list()

    def _list() -> str:
        state = request.args.get("state", MessageState.FAILED)
        state = state if state in (*SHOWN, ALL) else MessageState.FAILED
        query = select(Message, Case.code).outerjoin(Case, Case.id == Message.case_id)
        query = query.options(defer(Message.text)).where(Message.direction == "out")
        if state != ALL:
            query = query.where(Message.state == state)
        by_end = state in BY_END
        query = paging.newest_first(query, Message.id, Message.final_at if by_end else None)
        with context.store.reading() as session:
            rows = paging.pairs(session, query, _by_end if by_end else _by_id)
        return render_template(
            "operator/messages.html",
            here_is="messages",
            page=rows,
            mask=msisdn.mask,
            resent=RESENT,
            state=state,
            states=[(one, t(f"operator_message_{one}")) for one in (*SHOWN, ALL)],
            provider_says=provider_says,
            own_phone=context.settings.operator_phone,
        )

    @pages.get("/messages/<int:message_id>", endpoint="message")
    def one(message_id: int) -> ResponseReturnValue:
        with context.store.reading() as session:
            message = session.get(Message, message_id, options=[defer(Message.text)])
            if message is None or message.direction != "out":
                abort(404)
            case = session.get(Case, message.case_id) if message.case_id else None
            reports = session.scalars(
                select(DeliveryReport)
                .where(DeliveryReport.message_id == message.id)
                .order_by(DeliveryReport.id)
                .limit(paging.ROWS)
            ).all()
        return render_template(
            "operator/message.html", here_is="messages", message=message, case=case,
            reports=reports, mask=msisdn.mask, resent=RESENT, provider_says=provider_says,
            awaited=message.state not in ENDED, is_test=message.key.startswith(TEST),
        )  # fmt: skip

    @pages.post("/messages/<int:message_id>/resend")
    def resend_message(message_id: int) -> ResponseReturnValue:
        with context.store.transaction() as session:
            made = resend(session, message_id, by=door.actor())
        if made:
            flash(t("operator_resend_done"), "good")
        else:
            flash(t("operator_resend_not"), "warn")
        return redirect(url_for("operator.messages"), 303)

    @pages.post("/messages/test")
    def send_test() -> ResponseReturnValue:
        try:
            phone = msisdn.parse(request.form.get("phone", ""), context.settings.region)
        except msisdn.BadNumber as error:
            forms.not_saved(error)
            return _list(), 422
        with context.store.transaction() as session:
            id_ = _post_test(session, phone)
            session.add(Event(kind="test_sent", actor=door.actor(), data={"message": id_}))
        return redirect(url_for("operator.message", message_id=id_), 303)

    def _post_test(session: Session, phone: str) -> int:
        key, language = f"{TEST}{secrets.token_hex(8)}", spoken()
        text = context.catalogue.render("test_sms", language)
        outbox.post(
            session, key=key, to=phone, text=text, kind=Kind.REPLY, template="test_sms",
            language=language,
        )  # fmt: skip
        return session.scalars(select(Message.id).where(Message.key == key)).one()


def provider_says(outcome: str | None) -> str:
    """What a provider's reason means, where it is one that we know."""
    return text_or_name("operator_outcome", outcome) if outcome else "–"


def _by_id(message: Message) -> str:
    return paging.written(message.id)


def _by_end(message: Message) -> str:
    return paging.written(message.id, message.final_at or paging.EPOCH)
