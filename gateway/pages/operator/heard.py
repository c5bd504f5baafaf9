"""What farmers wrote that none of our words fits, by language, so that words can be learned."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from gateway.context import Context
from gateway.dialogue.sms.farmer import NOT_UNDERSTOOD
from gateway.pages.operator import paging
from gateway.store.models import Case, Message
from gateway.store.states import MessageState


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/heard", endpoint="heard")
    def page() -> ResponseReturnValue:
        languages = context.catalogue.languages
        language = request.args.get("language", "")
        query = (
            select(Message, Case.code)
            .outerjoin(Case, Case.id == Message.case_id)
            .where(
                Message.state == MessageState.RECEIVED,
                Message.final_at.is_not(None),
                Message.outcome == NOT_UNDERSTOOD,
            )
        )
        if language in languages:
            query = query.where(Message.language == language)
        query = paging.newest_first(query, Message.id, Message.final_at)
        with context.store.reading() as session:
            rows = paging.pairs(session, query, lambda m: paging.written(m.id, m.final_at))
        return render_template(
            "operator/heard.html",
            here_is="heard",
            page=rows,
            choices=languages,
            chosen=language,
        )
