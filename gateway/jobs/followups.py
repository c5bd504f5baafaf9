"""Follow-ups on the scheduler: see gateway.cases.followups for whom and when."""

from __future__ import annotations

from gateway.cases import followups
from gateway.context import Context
from gateway.store.base import now


def photo_reminders(context: Context) -> int:
    """Remind farmers of second photos that have not come."""
    with context.store.transaction() as session:
        return followups.remind_of_photo(session, context.desk, now())


def outcome_questions(context: Context) -> int:
    """Ask farmers who wanted it whether their plants got better."""
    with context.store.transaction() as session:
        return followups.ask_outcome(session, context.desk, now())
