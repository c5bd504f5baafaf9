"""Sweeps over messages and incidents: what the network never told, and what the operator must."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from redis.exceptions import RedisError
from sqlalchemy import func, select, update

from gateway.context import Context
from gateway.outbox.claim import UNREADABLE
from gateway.outbox.decide import UNKNOWN_FOR
from gateway.outbox.sweep import LONGEST_LEASE
from gateway.people import guessing
from gateway.spool import Spool
from gateway.store.base import now
from gateway.store.models import Incident, MediaMessage, Message
from gateway.store.states import MessageState
from gateway.watch import beats, incidents, mail, redis_writes, repairs

log = logging.getLogger(__name__)

REPORT_WITHIN = timedelta(days=1)
CLOCK_MAY_DIFFER = timedelta(minutes=1)
"""Clocks of two machines differ by less."""
SPOOL, MEDIA = f"spool:failed:{beats.host()}", "media:unreadable"
"""A spool is a machine's own: what another finds in its own says nothing of this one."""
DAY = timedelta(days=1)


def silent_messages(context: Context) -> int:
    """Mark messages that the network took a day ago and never reported on. A late report still
    counts. No incident: some networks never report."""
    with context.store.transaction() as session:
        marked = session.execute(
            update(Message)
            .where(
                Message.state == MessageState.SENT,
                Message.outcome.is_(None),
                Message.sent_at < now() - REPORT_WITHIN,
            )
            .values(outcome="no_report")
            .returning(Message.id)
        )
        return len(marked.all())


def clock_set_back(context: Context) -> int:
    """Free messages that wait for an instant that the clock, set back, reaches much later."""
    moment = now()
    from_the_future = Message.created_at > moment + CLOCK_MAY_DIFFER
    done = 0
    with context.store.transaction() as session:
        for state, column, wait in (
            (MessageState.QUEUED, Message.not_before, timedelta(0)),
            (MessageState.HELD, Message.not_before, timedelta(0)),
            (MessageState.SENDING, Message.lease_until, LONGEST_LEASE),
            (MessageState.UNKNOWN, Message.not_before, UNKNOWN_FOR),
        ):
            freed = session.execute(
                update(Message)
                .where(Message.state == state, from_the_future, column > moment + wait)
                .values({column: moment + wait})
                .returning(Message.id)
            )
            done += len(freed.all())
    return done


def watch(context: Context) -> int:
    """Open and close the incidents that are seen from here; returns how many it closed."""
    aside = Spool(context.settings.spool, context.store.vault).failed()
    try:
        refused = redis_writes.refusal(context.redis)
    except RedisError:
        refused = None  # away: every sweep that needs it says so, and it mostly comes back
    with context.store.transaction() as session:
        beats.watch(session, now())
        lost = session.scalar(
            select(func.count(MediaMessage.id)).where(
                MediaMessage.outcome == UNREADABLE, MediaMessage.done_at > now() - DAY
            )
        )
        waits = f"{aside} callbacks could not be taken in" if aside else ""
        unread = f"{lost} senders of photos cannot be read" if lost else ""
        closed = incidents.mark(session, SPOOL, waits) + incidents.mark(session, MEDIA, unread)
        if refused is not None:
            closed += incidents.mark(session, redis_writes.CAUSE, refused)
        return closed + repairs.watch(session)


def guessing_at_pins(context: Context) -> int:
    """Tell officers at whose PINs somebody guesses, at most once a day each: who guesses must not
    spend our money. The incident that the doors opened closes when it is over."""
    moment = now()
    with context.store.transaction() as session:
        guessing.watch(session, moment)
        officers = guessing.to_warn(session, moment)
        return sum(
            context.desk.tell_officer(
                session, officer, "officer_guessed_at", key=f"guessed:{officer.id}:{moment:%Y%m%d}"
            )
            for officer in officers
        )


def tell_operator(context: Context) -> int:
    """Tell the operator of open incidents by SMS and e-mail, at most hourly for each cause."""
    moment = now()
    with context.store.transaction() as session:
        to_tell = [(row.id, row.cause, row.detail) for row in incidents.to_tell(session, moment)]
    return sum(_tell(context, *incident, moment) for incident in to_tell)


def _tell(context: Context, incident_id: int, cause: str, detail: str, moment: datetime) -> bool:
    """The claim and the SMS are one transaction; an e-mail that fails gives the claim back."""
    with context.store.transaction() as session:
        row = session.get_one(Incident, incident_id, with_for_update=True)
        told_lately = row.told_at and row.told_at > moment - incidents.TELL_EVERY
        if row.closed_at is not None or told_lately:
            return False
        before, row.told_at = row.told_at, moment
        context.desk.tell_operator(
            session, "incident", key=f"incident:{cause}:{moment:%Y%m%d%H}", problem=cause
        )
    if not context.settings.smtp_url.get_secret_value():
        return True
    try:
        mail.send(
            context.settings,
            f"Leafline: {cause}",
            f"{cause}\n{detail}\n\nSeen until {moment:%Y-%m-%d %H:%M} UTC. It closes by itself "
            "when the cause is gone.\n",
        )
    except OSError as error:
        log.error("mail_not_sent cause=%s error=%s", cause, type(error).__name__)
        with context.store.transaction() as session:
            session.get_one(Incident, incident_id).told_at = before
    return True
