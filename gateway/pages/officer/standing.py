"""How an officer stands to a case. A pure function of the case's escalations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from gateway.store.models import Escalation

Standing = Literal[
    "mine", "answered", "with_colleague", "colleague_answered", "withdrawn", "not_yours"
]
SEES = ("mine", "answered")
"""Who may see the case itself; everybody else is told how it stands, and no more."""


def standing(escalations: Sequence[Escalation], officer_id: int) -> Standing:
    """Args: escalations: all of one case."""
    own = [row for row in escalations if row.officer_id == officer_id]
    held = next((row for row in escalations if row.closed_at is None), None)
    if held is not None and held.officer_id == officer_id:
        return "mine"
    if not own:
        return "not_yours"
    if any(row.outcome == "answered" for row in own):
        return "answered"
    if held is not None:
        return "with_colleague"
    if any(row.outcome == "answered" for row in escalations):
        return "colleague_answered"
    return "withdrawn"
