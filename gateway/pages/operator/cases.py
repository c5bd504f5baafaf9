"""All cases, by a sieve whose address can be shared; one case with all that belongs to it; a case
given to another officer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from gateway.agronomy import LABELS
from gateway.agronomy.table import CROP_ROWS
from gateway.cases import codes, escalation
from gateway.cases.case import by_code, hold
from gateway.context import Context
from gateway.figures import counts
from gateway.pages.base.install import t
from gateway.pages.base.pictures import Pictures
from gateway.pages.operator import door, happened, messages, paging
from gateway.pages.operator.quality import VERDICTS
from gateway.people import msisdn, operators
from gateway.store.base import now
from gateway.store.models import (
    Case,
    Diagnosis,
    Escalation,
    Event,
    Kiosk,
    Message,
    Officer,
    Photo,
)
from gateway.store.states import CaseState, MessageState

OPEN = "open"
"""Stands in an address for all cases that wait for a person."""
NOBODY = "nobody"
"""For an officer: with the operator."""
NONE = "none"
STATES = (OPEN, *(state.value for state in CaseState))
AGES = {
    "today": timedelta(0),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "quarter": timedelta(days=91),
    "year": timedelta(days=365),
}
"""Since when cases were opened: how long before the midnight that begins today."""
LATE = "late"
"""An age too: with a person, and not answered within a day."""
DAY = timedelta(days=1)
OFFERED = 500
"""Officers, or kiosks, to choose from, at most."""
LONGEST = 80


@dataclass(frozen=True)
class Sieve:
    """Which cases are asked for; what is empty lets all through."""

    state: str = ""
    crop: str = ""
    label: str = ""
    verdict: str = ""
    district: str = ""
    kiosk: str = ""
    officer: str = ""
    age: str = ""
    failed: str = ""
    case: str = ""
    """A case code, as typed."""

    @classmethod
    def asked(cls) -> Sieve:
        """Of this request; nonsense is kept, and finds what it says."""
        args = request.args
        return cls(**{one.name: args.get(one.name, "").strip()[:LONGEST] for one in fields(cls)})

    @property
    def given(self) -> dict[str, str]:
        """For an address: what is not empty."""
        return {name: value for name, value in vars(self).items() if value}


def add_to(pages: Blueprint, context: Context) -> None:
    pictures = Pictures(context)
    crop = partial(happened.crop, context)

    @pages.get("/cases/list", endpoint="cases")
    def page() -> ResponseReturnValue:
        sieve = Sieve.asked()
        query = select(Case).where(*conditions(sieve, now()))
        query = paging.newest_first(query, Case.id, Case.created_at)
        with context.store.reading() as session:
            found = session.scalars(query).all()
            kiosks = session.execute(select(Kiosk.id, Kiosk.name).limit(OFFERED)).all()
            people = session.execute(select(Officer.id, Officer.name).limit(OFFERED)).all()
        return render_template(
            "operator/case_list.html",
            here_is="cases",
            page=paging.cut(found, lambda case: paging.written(case.id, case.created_at)),
            sieve=sieve,
            choices={
                "state": [(one, t(f"operator_state_{one}")) for one in STATES],
                "crop": [(row.code, crop(row.code)) for row in CROP_ROWS] + [(NONE, crop(None))],
                "label": [(one, happened.label(one)) for one in LABELS],
                "verdict": [(one, t(f"operator_verdict_{one}")) for one in VERDICTS],
                "kiosk": named(kiosks),
                "officer": [(NOBODY, t("operator_nobody")), *named(people)],
                "age": [(one, t(f"operator_age_{one}")) for one in (*AGES, LATE)],
            },
            crop=crop,
            said=happened.label,
        )

    @pages.get("/cases/<code>", endpoint="case")
    def one(code: str) -> ResponseReturnValue:
        with context.store.reading() as session:
            case = _get(session, code)
            facts = collect(session, case)
            names = happened.Names.read(session, facts["history"], operators.listed(session))
            people = session.execute(
                select(Officer.id, Officer.name).where(Officer.disabled_at.is_(None)).limit(OFFERED)
            ).all()
        held = next((row for row, _ in facts["escalations"] if row.closed_at is None), None)
        return render_template(
            "operator/case.html",
            here_is="cases",
            case=case,
            held=held,
            people=[pair for pair in named(people) if held and pair[0] != str(held.officer_id)],
            crop=crop(case.crop),
            said=happened.label,
            told=lambda event: happened.sentence(event, names),
            mask=msisdn.mask,
            provider_says=messages.provider_says,
            **facts,
        )

    @pages.post("/cases/<code>/hand-over")
    def hand_case_over(code: str) -> ResponseReturnValue:
        with context.store.transaction() as session:
            case = _get(session, code)
            hold(session, case.id)
            officer = session.get(Officer, _number(request.form.get("officer", "")))
            done = officer is not None and escalation.assign(
                session, context.desk, case, officer, actor=door.actor()
            )
        if done and officer is not None:
            flash(t("operator_case_handed", name=officer.name), "good")
        else:
            flash(t("operator_case_not_handed"), "warn")
        return redirect(url_for("operator.case", code=case.code), 303)

    @pages.get("/photo/<int:photo_id>/<kind>.jpg")
    def photo(photo_id: int, kind: str) -> ResponseReturnValue:
        with context.store.reading() as session:
            address = session.scalar(select(Photo.address).where(Photo.id == photo_id))
        return pictures.show(address, kind)


def conditions(sieve: Sieve, moment: datetime) -> list[ColumnElement[bool]]:
    """What the sieve lets through. Pure."""
    found: list[ColumnElement[bool]] = []
    for name, column in (("label", Case.label), ("verdict", Case.verdict)):
        if value := getattr(sieve, name):
            found.append(column == value)
    if sieve.crop:
        found.append(Case.crop.is_(None) if sieve.crop == NONE else Case.crop == sieve.crop)
    if sieve.state == OPEN:
        found.append(Case.id.in_(_held()))
    elif sieve.state:
        found.append(Case.state == sieve.state)
    if sieve.district == NONE:
        found.append(Case.area.is_(None))
    elif sieve.district:
        # A range, so that an index of areas can be searched; `0` follows the slash.
        below = Case.area.between(f"{sieve.district}/", f"{sieve.district}0")
        found.append(or_(Case.area == sieve.district, below))
    if sieve.kiosk:
        found.append(Case.kiosk_id == _number(sieve.kiosk))
    if sieve.officer == NOBODY:
        found.append(Case.id.in_(_held(Escalation.officer_id.is_(None))))
    elif sieve.officer and sieve.state == OPEN:
        found.append(Case.id.in_(_held(Escalation.officer_id == _number(sieve.officer))))
    elif sieve.officer:
        had = select(Escalation.case_id).where(Escalation.officer_id == _number(sieve.officer))
        found.append(Case.id.in_(had))
    if sieve.age == LATE:
        found.append(Case.id.in_(_held(Escalation.opened_at < moment - DAY)))
    elif (before := AGES.get(sieve.age)) is not None:
        found.append(Case.created_at >= counts.end_of_day(moment) - DAY - before)
    if sieve.failed:
        failed = select(Message.case_id).where(Message.state == MessageState.FAILED)
        found.append(Case.id.in_(failed.where(Message.case_id.is_not(None))))
    if sieve.case:
        found.append(Case.code == _code(sieve.case))
    return found


def collect(session: Session, case: Case) -> dict[str, Any]:
    """All that belongs to a case, in five queries."""
    photos = session.execute(
        select(Photo, Diagnosis)
        .outerjoin(Diagnosis, Diagnosis.photo_id == Photo.id)
        .where(Photo.case_id == case.id)
        .order_by(Photo.id)
    )
    held = session.execute(
        select(Escalation, Officer)
        .outerjoin(Officer, Officer.id == Escalation.officer_id)
        .where(Escalation.case_id == case.id)
        .order_by(Escalation.id.desc())
    )
    sent = session.scalars(
        select(Message)
        .where(Message.case_id == case.id)
        .order_by(Message.id.desc())
        .limit(paging.ROWS)
    )
    history = session.scalars(
        select(Event)
        .where(Event.case_id == case.id)
        .order_by(Event.id.desc())
        .limit(2 * paging.ROWS)
    )
    return {
        "photos": [tuple(row) for row in photos],
        "escalations": [tuple(row) for row in held],
        "messages": sent.all(),
        "history": history.all(),
        "kiosk": session.get(Kiosk, case.kiosk_id) if case.kiosk_id else None,
    }


def named(rows: Any) -> list[tuple[str, str]]:
    """(id, name) to choose from, by name: names are sealed, so that the store cannot sort them."""
    return sorted(((str(id_), str(name)) for id_, name in rows), key=lambda row: row[1].casefold())


def _held(*where: ColumnElement[bool]) -> Any:
    return select(Escalation.case_id).where(Escalation.closed_at.is_(None), *where)


def _number(typed: str) -> int:
    """An id, or one that nothing has."""
    return int(typed) if typed.isdecimal() and len(typed) <= paging.LONGEST_ID else -1


def _code(typed: str) -> str:
    """The code as it is kept, or one that no case has."""
    try:
        return codes.parse(typed)
    except codes.BadCode:
        return ""


def _get(session: Session, code: str) -> Case:
    return by_code(session, _code(code)) or abort(404)
