"""What a new house still lacks, with ticks that come by themselves; the doctor in the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, literal, select
from sqlalchemy.orm import Session

from gateway.backup import making
from gateway.context import Context
from gateway.pages.operator.messages import TEST
from gateway.store.models import DeliveryReport, KioskDevice, Message, Officer
from gateway.store.states import MessageState

DOCTOR = "leafline_doctor"
"""The name under which whoever serves this application puts a doctor to ask."""


@dataclass(frozen=True)
class Step:
    name: str
    """Its texts are `operator_start_<name>` and `operator_start_<name>_how`."""
    done: bool
    page: str
    """Where it is done."""


def add_to(pages: Blueprint, context: Context) -> None:
    @pages.get("/start", endpoint="start")
    def page() -> ResponseReturnValue:
        return _show(None)

    @pages.post("/start/doctor")
    def ask_doctor() -> ResponseReturnValue:
        ask: Callable[[], Iterable[Any]] = current_app.extensions.get(DOCTOR, tuple)
        return _show(list(ask()))

    def _show(findings: list[Any] | None) -> str:
        with context.store.reading() as session:
            steps = list_of(context, session)
        return render_template(
            "operator/start.html", here_is="start", steps=steps, findings=findings,
            left=sum(not step.done for step in steps), doctor=DOCTOR in current_app.extensions,
        )  # fmt: skip


def list_of(context: Context, session: Session) -> list[Step]:
    """In the order in which they are done, in two queries."""
    # Their states first: SQLite would look through all that was delivered, instead of the tests.
    # No punctuation as an end, which a collation may sort before letters: keys go on in hex.
    states = select(Message.state).where(Message.key.between(TEST + "0", TEST + "g"))
    paired, officer, delivered, reported = session.execute(
        select(
            exists().where(KioskDevice.paired_at.is_not(None)),
            exists().where(Officer.disabled_at.is_(None)),
            literal(MessageState.DELIVERED).in_(states),
            exists().where(DeliveryReport.id > 0),
        )
    ).one()
    settings = context.settings
    reviewed = not any(fuzzy for fuzzy, _ in context.catalogue.review_state().values())
    return [
        Step("kiosk", paired, "kiosks"),
        Step("officer", officer, "officers"),
        Step("phone", bool(settings.operator_phone), "start"),
        Step("address", bool(settings.public_url), "start"),
        Step("sms", delivered, "messages"),
        Step("callbacks", reported, "messages"),
        Step("texts", reviewed, "texts"),
        Step("backup", making.last_in(session) is not None, "start"),
    ]
