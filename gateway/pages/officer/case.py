"""One case on the officer's screen: all that is known, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from gateway.agronomy import CROP_OF
from gateway.cases import briefing, codes, escalation, heard
from gateway.context import Context
from gateway.dialogue import answers
from gateway.dialogue.advice import MOST, BadNote
from gateway.pages.base.install import spoken
from gateway.pages.officer import advice, facts
from gateway.pages.officer.door import signed_in
from gateway.pages.officer.standing import SEES, standing
from gateway.pages.officer.words import Words
from gateway.people import msisdn
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Event, Officer
from gateway.teaching import labels


def add_to(pages: Blueprint, context: Context) -> None:
    def case(officer: Officer, code: str) -> ResponseReturnValue:
        return show(context, officer, code)

    pages.add_url_rule("/officer/case/<code>", "case", signed_in(context, case), methods=["GET"])

    @pages.get("/officer/gsm7.json")
    def gsm7_tables() -> ResponseReturnValue:
        return advice.tables(), {"Cache-Control": "private, max-age=86400"}


def show(
    context: Context,
    officer: Officer,
    code: str,
    *,
    phone: str = "",
    draft: advice.Draft | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """The page of a case.

    Args:
        phone: the farmer's number, when the officer has just asked for it.
        draft: what was written and cannot be sent yet, or shall be seen first.
    """
    moment = now()
    with context.store.reading() as session:
        try:
            case, escalations = facts.case_by_code(session, codes.parse(code))
        except codes.BadCode:
            case, escalations = None, []
        how = standing(escalations, officer.id)
        if case is None or how not in SEES:
            return render_template("officer/gone.html", officer=officer, how=how), 404
        photos = facts.photos(session, case)
        history = facts.history(session, case)
        written = heard.words_of(session, case)
        neighbours = facts.neighbours(session, case, moment)
        why = briefing.why(session, case)
        heap = facts.heap(session, officer, moment)
    own = [row for row in escalations if row.officer_id == officer.id][-1]
    page = render_template(
        "officer/case.html",
        officer=officer, case=case, how=how, own=own, photos=photos, history=history,
        neighbours=neighbours, written=written, phone=phone, masked=msisdn.mask(case.farmer.phone),
        machine=labels.machine_word(case.verdict, case.label), choices=labels.choices(case.crop),
        looks=briefing.looks_like(case), crop_of=CROP_OF, why=why, heap=heap,
        awaited=_photo_awaited(photos, history),
        writing=writing_of(context, officer, case, own, draft),
        said=(draft and draft.label) or own.label, instead=draft.instead if draft else "",
        undoable=(own.closed_at or moment) > moment - escalation.UNDO_FOR,
        say=Words(context.catalogue, moment), me=f"officer:{officer.id}",
    )  # fmt: skip
    return page, status


def _photo_awaited(photos: list[facts.PhotoFacts], history: list[Event]) -> bool:
    asked = max((event.at for event in history if event.kind == "photo_asked"), default=None)
    return asked is not None and not any(photo.received_at > asked for photo in photos)


@dataclass(frozen=True)
class Writing:
    """The part of the page where advice is chosen, written and seen beforehand."""

    choices: list[advice.Advice]
    chosen: str
    own: str
    room: int
    part_room: int
    most: int
    frames: dict[str, str]
    """The farmer's message with `{note}` where the officer's words go, whole or a part of more."""
    preview: str
    fault: BadNote | None
    safe: bool
    """The safety words were asked for, or are asked about."""


def writing_of(
    context: Context,
    officer: Officer,
    case: Case,
    own: Escalation | None,
    draft: advice.Draft | None,
    *,
    alike: bool = True,
) -> Writing:
    """Args: own: what the officer said of this very case; alike: as in `advice.choices`."""
    texts, farmer = context.catalogue, case.spoken
    label = own.label if own else None
    chosen, written, said, fault, safe = "", "", "", None, False
    if draft is not None:
        chosen, written, said, fault = draft.choice, draft.own, draft.said, draft.fault
        safe = draft.safe
    elif label in labels.choices(case.crop) and label != labels.NONE:
        chosen = f"{advice.PREFIX}{label}"
        said = texts.text(chosen, farmer)
    sent = answers.preview(texts, context.desk, officer, case, said, chosen, safe) if said else []
    return Writing(
        choices=advice.choices(
            texts, farmer, spoken(), label or case.label, case.crop, alike=alike
        ),
        chosen=chosen,
        own=written,
        room=texts.room("note"),
        part_room=texts.room("words"),
        most=MOST,
        frames=advice.frames(texts, farmer, case.code, officer.phone),
        preview=advice.preview(texts, farmer, case.code, officer.phone, sent),
        safe=safe or (fault is not None and fault.reason == "product"),
        fault=fault,
    )
