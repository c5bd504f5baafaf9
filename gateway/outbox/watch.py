"""What the latest messages say about the channel as a whole, beyond each message's own fate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.outbox import incidents
from gateway.outbox.claim import UNKNOWN_KIND, UNREADABLE
from gateway.outbox.kinds import POLICY
from gateway.outbox.resend import RESENT
from gateway.store.models import DeliveryReport, Message

LATEST = 500
RECENT = timedelta(hours=1)
REPORT_DUE = timedelta(hours=1)
"""Most reports come within seconds; after an hour one that is missing is worth counting."""
ENOUGH = 20
"""So many messages without a single report are no accident."""

FAILED, SILENT = "messages:failed", "messages:no_reports"
SILENCE = "no delivery report comes any more: is the address of the callback still right?"

NUMBER_REASONS = frozenset(
    {"invalid_number", "unsupported_number", "blacklisted", "no_route", "absent", "inactive",
     "suspended", "other_network", "no_such_number", "delivery_failure", "do_not_disturb"}
)  # fmt: skip
"""The number's trouble, not ours: seen beside the message, but no incident."""


OURS = frozenset({UNREADABLE, UNKNOWN_KIND})
"""Whatever the message was: the key or the program is the wrong one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One outgoing message as far as these rules look at it."""

    kind: str
    state: str
    outcome: str | None
    sent_at: datetime | None
    final_at: datetime | None


def judge(latest: Sequence[Seen], now: datetime, *, reports_come: bool) -> dict[str, str]:
    """Cause of an incident to its detail; a detail is empty where all is well.

    `reports_come`: a report has come before. Some networks never send any, which is no incident.
    """
    lost = [
        seen
        for seen in latest
        if seen.state == "failed"
        and (seen.outcome in OURS or _matters(seen.kind))
        and seen.outcome not in NUMBER_REASONS
        and seen.outcome != RESENT
        and seen.final_at is not None
        and now - seen.final_at < RECENT
    ]
    due = [seen for seen in latest if seen.sent_at and now - seen.sent_at > REPORT_DUE]
    silent = reports_come and len(due) >= ENOUGH and all(seen.state == "sent" for seen in due)
    reasons = ", ".join(sorted({seen.outcome or "unknown" for seen in lost}))
    return {
        FAILED: f"{len(lost)} answers or escalations within an hour: {reasons}" if lost else "",
        SILENT: SILENCE if silent else "",
    }


def _matters(kind: str) -> bool:
    return kind not in POLICY or POLICY[kind].twice


def watch(session: Session, now: datetime) -> None:
    """Open and close incidents by what the latest messages say."""
    query = (
        select(Message.kind, Message.state, Message.outcome, Message.sent_at, Message.final_at)
        .where(Message.direction == "out")
        .order_by(Message.id.desc())
        .limit(LATEST)
    )
    latest = [
        Seen(row.kind, row.state, row.outcome, row.sent_at, row.final_at)
        for row in session.execute(query)
    ]
    reports_come = session.scalar(select(DeliveryReport.id).limit(1)) is not None
    for cause, detail in judge(latest, now, reports_come=reports_come).items():
        if detail:
            incidents.open_(session, cause, detail)
        else:
            incidents.close(session, cause)
