"""The screens' facts, read from the store when a screen asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from itertools import takewhile
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.agronomy import DISEASES, advice
from gateway.cases import escalation, guesses, life, news, routing
from gateway.cases.briefing import brief
from gateway.cases.case import by_code
from gateway.dialogue.answers import officers_words
from gateway.dialogue.parts import Parts
from gateway.dialogue.ussd.agreed import agreed_in
from gateway.dialogue.ussd.facts import CaseFacts, FarmerFacts, KioskFacts, OfficerFacts
from gateway.people import areas, farmers, hours, lockout, officers, proof
from gateway.store.models import Case, Farmer, Kiosk, Officer
from gateway.teaching import labels

LISTED = 20
"""Cases or kiosks on one list: more than anybody pages through."""


class World:
    """What is true for one caller in one hop. Use it as a context manager."""

    def __init__(self, parts: Parts, phone: str, session_tag: str) -> None:
        self._parts = parts
        self._phone = phone
        self._tag = session_tag
        self._open = ExitStack()
        self._kiosks: dict[str, list[KioskFacts]] = {}

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def refresh(self) -> None:
        """Forget what was read: something has been changed."""
        self._open.close()
        for name in ("_session", "_farmer", "_officer", "_cases", "_desk"):
            self.__dict__.pop(name, None)
        self._kiosks = {}

    @cached_property
    def _session(self) -> Session:
        return self._open.enter_context(self._parts.store.reading())

    @cached_property
    def _farmer(self) -> Farmer | None:
        return farmers.find(self._session, self._phone)

    @cached_property
    def _officer(self) -> Officer | None:
        return officers.by_phone(self._session, self._phone)

    @cached_property
    def _cases(self) -> list[CaseFacts]:
        if self._farmer is None:
            return []
        query = select(Case).where(Case.farmer_id == self._farmer.id)
        newest = query.order_by(Case.created_at.desc(), Case.id.desc()).limit(LISTED)
        return [self._facts_of(case) for case in self._session.scalars(newest)]

    def _area(self, area: str) -> str | None:
        return area or (self._farmer.area if self._farmer else None)

    def _nearest(self, area: str | None) -> list[KioskFacts]:
        rows = self._session.scalars(select(Kiosk).where(Kiosk.disabled_at.is_(None)))
        ranked = sorted((-_shared_units(k.area, area), k.name, k.id, k) for k in rows)[:LISTED]
        return [
            KioskFacts(str(k.id), k.name, k.area, k.opening or "?", near=shared < 0)
            for shared, _, _, k in ranked
        ]

    @cached_property
    def _desk(self) -> list[CaseFacts]:
        if self._officer is None:
            return []
        cases = escalation.open_cases_of(self._session, self._officer)[:LISTED]
        return [self._details_of(case) for case in cases]

    def farmer(self) -> FarmerFacts | None:
        farmer = self._farmer
        if farmer is None:
            return None
        agreed = agreed_in(farmer, self._tag)
        return FarmerFacts(
            language=farmer.language,
            consented=farmer.consent_at is not None,
            opted_out=farmer.opted_out_at is not None,
            began=agreed.began,
            agreed_at=agreed.answers,
            area=farmer.area or "",
        )

    def cases(self) -> Sequence[CaseFacts]:
        return self._cases

    def stored(self) -> int:
        if self._farmer is None:
            return 0
        count = select(func.count(Case.id)).where(Case.farmer_id == self._farmer.id)
        return self._session.scalar(count) or 0

    def case(self, code: str) -> CaseFacts | None:
        case = by_code(self._session, code)
        if case is None:
            return None
        told = case.state in (life.ANSWERED, life.CLOSED)
        facts = self._facts_of(case)
        if promised := escalation.promised(self._session, self._parts.desk, case):
            facts = replace(
                facts,
                promised=promised.how,
                officer=promised.officer,
                day=promised.day,
                officer_phone=promised.phone,
            )
        return replace(
            facts,
            note=officers_words(self._session, case) if told else "",
            unread=told and facts.mine and news.unread(self._session, case),
            photo_wanted=facts.with_officer and escalation.first_photo_awaited(self._session, case),
        )

    def news(self) -> str:
        return news.to_open(self._session, self._farmer, self._tag) if self._farmer else ""

    def look_up(self, code: str) -> Literal["found", "none", "too_often"]:
        case = by_code(self._session, code)
        if case is not None and self._farmer is not None and case.farmer_id == self._farmer.id:
            return "found"
        with self._parts.store.transaction() as session:
            if not guesses.another(session, self._phone, self._parts.desk.zone):
                return "too_often"
        return "none" if case is None else "found"

    def units(self, above: str = "") -> Sequence[str]:
        return self._parts.areas.below(above)

    def kiosks(self, area: str = "") -> Sequence[KioskFacts]:
        if area not in self._kiosks:
            self._kiosks[area] = self._nearest(self._area(area))
        return self._kiosks[area]

    def on_duty(self, area: str = "") -> bool:
        language = self._farmer.language if self._farmer else None
        return routing.choose(self._session, self._area(area), language or "") is not None

    def erasure_code(self, typed: str) -> Literal["right", "wrong", "too_often"]:
        with self._parts.store.transaction() as session:
            if not guesses.another(session, self._phone, self._parts.desk.zone):
                return "too_often"
        right = proof.right(self._parts.store.vault, self._phone, typed)
        return "right" if right else "wrong"

    def officer(self) -> OfficerFacts | None:
        if self._officer is None:
            return None
        return OfficerFacts(language=self._officer.language, on_duty=self._officer.at_work)

    def desk(self) -> Sequence[CaseFacts]:
        return self._desk

    def colleague(self, code: str) -> bool:
        case = by_code(self._session, code)
        if case is None or self._officer is None:
            return False
        return routing.colleague(self._session, case, self._parts.desk.zone) is not None

    def pin(self, typed: str) -> Literal["right", "wrong", "locked"]:
        if self._officer is None:
            return "wrong"
        try:
            officers.try_pin(
                self._parts.store, self._phone, self._officer, typed, lockout.THE_PHONE
            )
        except lockout.Locked:
            return "locked"
        except officers.WrongPin:
            return "wrong"
        return "right"

    def _facts_of(self, case: Case) -> CaseFacts:
        return CaseFacts(
            code=case.code,
            state=case.state,
            opened=hours.day(case.created_at, self._parts.desk.zone),
            crop=case.crop or "unknown",
            label=case.label if case.label in DISEASES else "unknown",
            advice=advice.text_of(case.label or "", case.answers),
            mine=self._farmer is not None and case.farmer_id == self._farmer.id,
            language=case.spoken,
            with_officer=escalation.with_officer(self._session, case),
        )

    def _details_of(self, case: Case) -> CaseFacts:
        """What the officer of the case may see."""
        assert self._officer is not None
        language = self._officer.language
        seen = brief(self._session, case)
        said = seen.values(self._parts.texts, language, "")
        return replace(
            self._facts_of(case),
            label=seen.disease,
            place=seen.place,
            phone=seen.phone,
            finding=said["finding"],
            why=seen.why,
            told=said["told"],
            seen=seen.seen(self._parts.texts, language),
            choices=labels.choices(case.crop),
        )


def _shared_units(area: str, other: str | None) -> int:
    """How many units, from the largest down, two areas have in common."""
    pairs = zip(areas.units(area), areas.units(other or ""), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
