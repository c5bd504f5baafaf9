"""The desk: how a case speaks to people. Renders a text and puts it into the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypedDict
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gateway import outbox
from gateway.cases import briefing
from gateway.outbox.kinds import POLICY, Kind
from gateway.people.hours import UTC_ZONE
from gateway.store.models import Case, Farmer, Officer


class Texts(Protocol):
    """The message catalogue, as far as a case needs it."""

    def render(self, key: str, language: str | None, **values: object) -> str:
        """At most 160 septets of GSM 03.38, proved when the catalogue was loaded."""
        ...


class Written(TypedDict):
    """A rendered text with its origin, as arguments of `outbox.post`."""

    text: str
    template: str
    language: str
    case_id: int | None


@dataclass(frozen=True)
class Desk:
    texts: Texts
    operator_phone: str
    language: str
    """Spoken where nothing better is known, and to the operator."""
    dial_to_answer: str = ""
    """The USSD code by which officers answer where SMS goes one way only; empty: they reply."""
    link_base: str = ""
    """What stands before the token of an officer's link; empty: messages carry no links."""
    zone: ZoneInfo = UTC_ZONE
    """Of the officers' working hours."""

    def how_to_answer(self, case: Case) -> str:
        """What an officer does to answer, for the placeholder `answer`."""
        return self.dial_to_answer or briefing.by_sms(case)

    def tell_farmer(
        self,
        session: Session,
        farmer: Farmer,
        template: str,
        *,
        key: str,
        case: Case | None = None,
        kind: Kind = Kind.ANSWER,
        not_before: datetime | None = None,
        **values: str,
    ) -> bool:
        """Put a message to a farmer into the outbox, once for each `key`.

        Args:
            not_before: it waits until then.

        Returns:
            False when the farmer has opted out and this kind is not what she just asked for.
        """
        if farmer.opted_out_at is not None and POLICY[kind].unasked:
            return False
        language = case.spoken if case else farmer.language or self.language
        sent = self._written(template, language, case, values)
        outbox.post(
            session, key=key, to=farmer.phone, kind=kind, farmer_id=farmer.id,
            not_before=not_before, **sent,
        )  # fmt: skip
        return True

    def tell_officer(
        self,
        session: Session,
        officer: Officer,
        template: str,
        *,
        key: str,
        case: Case | None = None,
        not_before: datetime | None = None,
        **values: str,
    ) -> bool:
        """Put a message to an officer into the outbox, once for each `key`.

        Returns False when it was there before.
        """
        sent = self._written(template, officer.language, case, values)
        return outbox.post(
            session, key=key, to=officer.phone, kind=Kind.ESCALATION, officer_id=officer.id,
            not_before=not_before, **sent,
        )  # fmt: skip

    def tell_operator(
        self, session: Session, template: str, *, key: str, case: Case | None = None, **values: str
    ) -> bool:
        """Returns False when no operator's number is set."""
        if not self.operator_phone:
            return False
        sent = self._written(template, self.language, case, values)
        outbox.post(session, key=key, to=self.operator_phone, kind=Kind.ESCALATION, **sent)
        return True

    def _written(
        self, template: str, language: str, case: Case | None, values: dict[str, str]
    ) -> Written:
        """The text, and what the outbox keeps of where it comes from."""
        known = {"case": case.code} if case else {}
        return {
            "text": self.texts.render(template, language, **(known | values)),
            "template": template,
            "language": language,
            "case_id": case.id if case else None,
        }
