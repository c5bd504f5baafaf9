"""What the latest messages say about the channel as a whole, beyond each message's own fate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.outbox.claim import UNKNOWN_KIND, UNREADABLE
from gateway.outbox.kinds import POLICY
from gateway.outbox.reasons import OF_THE_NUMBER
from gateway.outbox.resend import RESENT
from gateway.store.models import DeliveryReport, Message
from gateway.store.states import MessageState
from gateway.watch import incidents

LATEST = 500
"""So many of the messages whose report is due are looked at."""
RECENT = timedelta(hours=1)
REPORT_DUE = timedelta(hours=1)
"""Most reports come within seconds; after an hour one that is missing is worth counting."""
ENOUGH = 20
"""So many messages without a single report are no accident."""

FAILED, SILENT = "messages:failed", "messages:no_reports"
SILENCE = "no delivery report comes any more: is the address of the callback still right?"

OURS = frozenset({UNREADABLE, UNKNOWN_KIND})
"""Whatever the message was: the key or the program is the wrong one."""


@dataclass(frozen=True, slots=True)
class Failed:
    """So many messages of one kind that failed for good with one outcome."""

    kind: str
    outcome: str | None
    count: int = 1


def judge(failed: Sequence[Failed], due: Sequence[str], *, reports_come: bool) -> dict[str, str]:
    """Cause of an incident to its detail; a detail is empty where all is well.

    Args:
        failed: what failed within `RECENT`.
        due: states of the latest messages that left more than `REPORT_DUE` ago.
        reports_come: a report has come before. Some networks never send any, which is no incident.
    """
    lost = [
        seen
        for seen in failed
        if (seen.outcome in OURS or _matters(seen.kind))
        and seen.outcome not in OF_THE_NUMBER
        and seen.outcome != RESENT
    ]
    silent = reports_come and len(due) >= ENOUGH and set(due) == {MessageState.SENT}
    count = sum(seen.count for seen in lost)
    reasons = ", ".join(sorted({seen.outcome or "unknown" for seen in lost}))
    return {
        FAILED: f"{count} answers or escalations within an hour: {reasons}" if lost else "",
        SILENT: SILENCE if silent else "",
    }


def _matters(kind: str) -> bool:
    return kind not in POLICY or POLICY[kind].twice


def watch(session: Session, now: datetime) -> None:
    """Open and close incidents by what the latest messages say, however many wait behind them."""
    lately = (Message.state == MessageState.FAILED, Message.final_at > now - RECENT)
    query = select(Message.kind, Message.outcome, func.count()).where(
        Message.direction == "out", *lately
    )
    rows = session.execute(query.group_by(Message.kind, Message.outcome))
    failed = [Failed(kind, outcome, count) for kind, outcome, count in rows]
    due = session.scalars(
        select(Message.state)
        .where(Message.direction == "out", Message.sent_at < now - REPORT_DUE)
        .order_by(Message.sent_at.desc())
        .limit(LATEST)
    ).all()
    reports_come = session.scalar(select(DeliveryReport.id).limit(1)) is not None
    for cause, detail in judge(failed, due, reports_come=reports_come).items():
        incidents.mark(session, cause, detail)
