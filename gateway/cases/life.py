"""The life of a case: which state may follow which, each step one row of history."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from sqlalchemy.orm import Session

from gateway.store.base import now
from gateway.store.models import Case, Event
from gateway.store.states import CaseState

RECEIVED = CaseState.RECEIVED
DIAGNOSED = CaseState.DIAGNOSED
PHOTO_REQUESTED = CaseState.PHOTO_REQUESTED
ESCALATED = CaseState.ESCALATED
ACCEPTED = CaseState.ACCEPTED
PROMISED = CaseState.PROMISED
ANSWERED = CaseState.ANSWERED
CLOSED = CaseState.CLOSED

NEXT: Mapping[str, Set[CaseState]] = {
    RECEIVED: {DIAGNOSED, ESCALATED},
    DIAGNOSED: {PHOTO_REQUESTED, ESCALATED, ANSWERED},
    PHOTO_REQUESTED: {DIAGNOSED, ESCALATED, CLOSED},
    ESCALATED: {ACCEPTED, ANSWERED, DIAGNOSED},
    ACCEPTED: {PROMISED, ANSWERED, ESCALATED, DIAGNOSED},
    PROMISED: {PROMISED, ACCEPTED, ANSWERED, ESCALATED},  # put off, or taken back
    ANSWERED: {DIAGNOSED, ESCALATED, CLOSED},
    CLOSED: {ESCALATED},  # it got worse after all, or an officer takes an answer back
}


IN_HAND = (ESCALATED, ACCEPTED, PROMISED)
"""A person has the case."""


class WrongStep(Exception):
    """A step that the life of a case does not have: a fault of ours, never of a farmer."""


def move(
    session: Session,
    case: Case,
    to: str,
    *,
    actor: str,
    reason: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Put the case into another state and write the line of history.

    Args:
        actor: who did it: `machine`, `kiosk:<id>`, `officer:<id>`, `farmer`, `operator`, `sweep`.
        data: facts without personal data.

    Raises:
        WrongStep: the state cannot follow the present one.
    """
    if to not in NEXT[case.state]:
        raise WrongStep(f"case {case.code}: {case.state} -> {to}")
    session.add(
        Event(
            kind="case",
            case_id=case.id,
            from_state=case.state,
            to_state=to,
            actor=actor,
            reason=reason,
            data=data,
        )
    )
    case.state = to
    case.updated_at = now()


def born(session: Session, case: Case, *, actor: str) -> None:
    """The first line of a case's history; the case must have its id."""
    session.add(Event(kind="case", case_id=case.id, to_state=case.state, actor=actor))
