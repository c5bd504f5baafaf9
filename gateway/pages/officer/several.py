"""One advice for several cases: each is answered by itself, echoed, and can be taken back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway.cases import codes, escalation
from gateway.context import Context
from gateway.dialogue import answers
from gateway.pages.base import t
from gateway.pages.officer import advice, facts
from gateway.pages.officer.actions import Gone, draft_for, holding
from gateway.pages.officer.case import writing_of
from gateway.pages.officer.door import signed_in
from gateway.pages.officer.words import Words
from gateway.store.base import now
from gateway.store.models import Officer
from gateway.teaching import labels

MOST = facts.PAGE
"""Cases that one advice may answer."""


def add_to(pages: Blueprint, context: Context) -> None:
    def several(officer: Officer) -> ResponseReturnValue:
        return _show(_codes(request.args.getlist("code")), officer)

    def answer_several(officer: Officer) -> ResponseReturnValue:
        wanted = _codes(request.form.getlist("code"))
        draft = draft_for(context, None)
        if draft.fault is not None:
            return _show(wanted, officer, draft)
        done = sum(_answer(officer, code) for code in wanted)
        if done:
            minutes = int(answers.HOLD.total_seconds() // 60)
            flash(t("officer_several_sent", n=done, minutes=minutes), "good")
        return redirect(url_for("officer.cases", show="answered" if done else None), 303)

    def _show(
        wanted: list[str], officer: Officer, draft: advice.Draft | None = None
    ) -> ResponseReturnValue:
        with context.store.reading() as session:
            rows = facts.chosen(session, officer, wanted)
            first, _ = facts.case_by_code(session, rows[0].code) if rows else (None, [])
        if first is None:
            flash(t("officer_several_none"), "warn")
            return redirect(url_for("officer.cases"), 303)
        crops = {row.crop for row in rows}
        page = render_template(
            "officer/several.html", officer=officer, rows=rows, mixed=len(crops) > 1,
            choices=labels.choices(first.crop), said=request.form.get("label", ""),
            farmer=first.spoken, say=Words(context.catalogue, now()),
            writing=writing_of(context, officer, first, None, draft, alike=len(crops) == 1),
        )  # fmt: skip
        return page, 422 if draft is not None else 200

    def _answer(officer: Officer, code: str) -> bool:
        """Answer one of them, or say why it waits on: not to be answered here, or promised."""
        try:
            with holding(context, officer, code) as held:
                draft = draft_for(context, held.case.spoken)
                label = draft.label or advice.label_of(draft.choice)
                day = answers.answer(
                    held.session, context.catalogue, context.desk, held.officer, held.case,
                    draft.said, label, ready=draft.choice, safe=draft.safe, hold=answers.HOLD,
                )  # fmt: skip
        except (Gone, escalation.NotYours) as error:
            how = error.how if isinstance(error, Gone) else "not_yours"
            flash(f"{code}: {t(f'officer_gone_{how}')}", "warn")
            return False
        except labels.BadLabel:
            flash(f"{code}: {t('officer_label_of_another_crop')}", "warn")
            return False
        if day:
            flash(f"{code}: {t('officer_announced', day=day)}", "good")
        return not day

    address = "/officer/several"
    pages.add_url_rule(address, "several", signed_in(context, several), methods=["GET"])
    pages.add_url_rule(
        address, "answer_several", signed_in(context, answer_several), methods=["POST"]
    )


def _codes(typed: list[str]) -> list[str]:
    """Those that can be codes, each once, at most `MOST`."""
    found = []
    for one in typed:
        try:
            found.append(codes.parse(one))
        except codes.BadCode:
            continue
    return list(dict.fromkeys(found))[:MOST]
