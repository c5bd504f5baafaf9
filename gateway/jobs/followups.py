"""Follow-ups on the scheduler: see gateway.cases.followups for whom and when."""

from __future__ import annotations

from functools import partial

from gateway.cases import followups
from gateway.context import Context
from gateway.store.base import now
from gateway.watch.rows import each


def photo_reminders(context: Context) -> int:
    """Remind farmers of second photos that have not come."""
    with context.store.reading() as session:
        due = followups.photo_reminders(session, now())
    return each(
        context.store, "photo_reminders", due, partial(_tell, context, followups.REMIND_PHOTO)
    )


def outcome_questions(context: Context) -> int:
    """Ask farmers who wanted it whether their plants got better."""
    with context.store.reading() as session:
        due = followups.outcome_questions(session, now())
    return each(
        context.store, "outcome_questions", due, partial(_tell, context, followups.ASK_OUTCOME)
    )


def _tell(context: Context, template: str, case_id: int) -> int:
    with context.store.transaction() as session:
        return followups.tell(session, context.desk, template, case_id)
