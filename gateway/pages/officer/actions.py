"""What an officer does with a case. Each action holds the case, so that a double tap, a second tab
or a colleague finds out how things stand instead of doing them twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from gateway.cases import codes, escalation, new_number
from gateway.cases.case import by_code, hold
from gateway.context import Context
from gateway.dialogue import answers
from gateway.pages.base import t
from gateway.pages.officer import advice, facts
from gateway.pages.officer.case import show
from gateway.pages.officer.door import signed_in
from gateway.pages.officer.standing import Standing, standing
from gateway.pages.officer.words import Words
from gateway.people import msisdn
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Event, Officer
from gateway.teaching import labels

HAND_OVER_REASONS = ("far", "busy", "language", "other")


class Gone(Exception):
    """The case is not the officer's to act on any more."""

    def __init__(self, how: Standing, answer: str | None) -> None:
        super().__init__(how)
        self.how, self.answer = how, answer


@dataclass(frozen=True)
class Held:
    """A case in an officer's hands, locked until the transaction ends."""

    session: Session
    officer: Officer
    case: Case
    escalation: Escalation


@contextmanager
def holding(context: Context, officer: Officer, code: str) -> Iterator[Held]:
    """Raises: Gone."""
    with context.store.transaction() as session:
        found = by_code(session, code)
        case = hold(session, found.id) if found is not None else None
        rows = facts.escalations(session, case) if case is not None else []
        how = standing(rows, officer.id)
        if case is None or how != "mine":
            own = [row.answer for row in rows if row.officer_id == officer.id and row.answer]
            raise Gone(how, own[-1] if own else None)
        held = next(row for row in rows if row.closed_at is None)
        yield Held(session, session.get_one(Officer, officer.id), case, held)


def add_to(pages: Blueprint, context: Context) -> None:
    def action(name: str, act: Callable[[Officer, str], ResponseReturnValue | None]) -> None:
        """Route an action; afterwards, done or not, the officer sees the case as it stands."""

        def page(officer: Officer, code: str) -> ResponseReturnValue:
            if request.method == "GET":  # a page made by an action, asked for again
                return redirect(url_for("officer.case", code=code, lang=request.args.get("lang")))
            try:
                code = codes.parse(code)
                answer = act(officer, code)
            except (codes.BadCode, escalation.NotYours, Gone) as error:
                how = error.how if isinstance(error, Gone) else "not_yours"
                flash(t(f"officer_gone_{how}"), "warn")
                answer = None
            return answer or redirect(url_for("officer.case", code=code))

        pages.add_url_rule(
            f"/officer/case/<code>/{name}", f"case_{name}", signed_in(context, page),
            methods=["GET", "POST"],
        )  # fmt: skip

    def label(officer: Officer, code: str) -> ResponseReturnValue | None:
        said = request.form.get("label", "")
        words = request.form.get("words", "")
        if said not in labels.CHOICES:
            flash(t("officer_choose_label"), "warn")
            return None
        try:
            with holding(context, officer, code) as held:
                _label(held, said, words)
        except labels.BadLabel:
            flash(t("officer_choose_label"), "warn")
            return None
        flash(t("officer_label_kept", label=Words(context.catalogue, now()).label(said)), "good")
        return redirect(url_for("officer.case", code=code, _anchor="answer"))

    def answer(officer: Officer, code: str) -> ResponseReturnValue | None:
        try:
            with holding(context, officer, code) as held:
                draft = draft_for(context, held.case.spoken)
                if not draft.said:
                    return show(context, officer, code, draft=draft, status=422)
                said_before = held.escalation.label is not None
                label = draft.label or (None if said_before else advice.label_of(draft.choice))
                day = answers.answer(
                    held.session, context.catalogue, context.desk, held.officer, held.case,
                    draft.said, label, ready=draft.choice, instead=draft.instead,
                    safe=draft.safe,
                )  # fmt: skip
        except labels.BadLabel:
            flash(t("officer_choose_label"), "warn")
            return show(context, officer, code, draft=draft, status=422)
        except Gone as gone:
            if gone.how != "answered" or gone.answer is None:
                raise
            _answered_before(context, code, gone.answer)
            return None
        flash(t("officer_announced", day=day) if day else t("officer_sent"), "good")
        return None

    def preview(officer: Officer, code: str) -> ResponseReturnValue:
        with holding(context, officer, code) as held:
            draft = draft_for(context, held.case.spoken)
        return show(context, officer, code, draft=draft, status=200 if draft.said else 422)

    def photo(officer: Officer, code: str) -> None:
        with holding(context, officer, code) as held:
            asked = escalation.ask_photo(held.session, context.desk, held.officer, held.case)
        flash(t("officer_photo_asked" if asked else "officer_photo_asked_before"), "good")

    def call(officer: Officer, code: str) -> ResponseReturnValue:
        with holding(context, officer, code) as held:
            escalation.accept(held.session, held.officer, held.case)
            actor = f"officer:{officer.id}"
            held.session.add(Event(kind="number_shown", case_id=held.case.id, actor=actor))
            phone = held.case.farmer.phone
        return show(context, officer, code, phone=phone)

    def hand_over(officer: Officer, code: str) -> ResponseReturnValue | None:
        given = request.form.get("reason", "")
        reason = given if given in HAND_OVER_REASONS else "other"
        with holding(context, officer, code) as held:
            passed = escalation.hand_over(
                held.session, context.desk, held.officer, held.case, reason
            )
        if not passed:
            flash(t("officer_nobody_else"), "warn")
            return None
        flash(t("officer_handed_over", code=code), "good")
        return redirect(url_for("officer.cases"))

    def number(officer: Officer, code: str) -> None:
        try:
            phone = msisdn.parse(request.form.get("phone", ""), context.settings.region)
        except msisdn.BadNumber:
            flash(t("officer_number_wrong"), "warn")
            return
        with holding(context, officer, code) as held:
            actor = f"officer:{officer.id}"
            moved = new_number.move(held.session, context.desk, held.case, phone, actor=actor)
        flash(t("officer_number_moved" if moved else "officer_number_same"), "good")

    def undo(officer: Officer, code: str) -> None:
        try:
            with context.store.transaction() as session:
                found = by_code(session, code)
                case = hold(session, found.id) if found is not None else None
                if case is None:
                    raise escalation.NotYours(code)
                here = session.get_one(Officer, officer.id)
                left = answers.undo(session, context.desk, here, case)
        except escalation.NotYours:
            flash(t("officer_undo_late"), "warn")
        else:
            flash(t("officer_undone_left" if left else "officer_undone"), "good")

    for act in (label, answer, preview, photo, call, number, undo):
        action(act.__name__, act)
    action("hand-over", hand_over)


def _label(held: Held, label: str, words: str = "") -> None:
    escalation.accept(held.session, held.officer, held.case)
    labels.record(held.session, held.officer, held.case, label, words)
    held.escalation.label = label


def draft_for(context: Context, farmer: str | None) -> advice.Draft:
    """What the form of this request says, in the farmer's language; where only a diagnosis was
    chosen, the advice that belongs to it."""
    form = request.form
    label, own = form.get("label", ""), form.get("own", "")
    choice = form.get("choice", "") or f"{advice.PREFIX}{label}"
    draft = advice.draft(context.catalogue, farmer, choice, own, safe=form.get("safety") == "1")
    return replace(draft, label=label or None, instead=form.get("words", ""))


def _answered_before(context: Context, code: str, sent: str) -> None:
    """The second tap, or another tab: say whether these very words are on their way."""
    with context.store.reading() as session:
        case, _ = facts.case_by_code(session, code)
    assert case is not None
    draft = draft_for(context, case.spoken)
    if draft.said == sent:
        flash(t("officer_sent"), "good")
    else:
        flash(t("officer_answered_before", words=sent), "warn")
