"""Sweeps over cases: each has an answer or a person, and none is kept longer than promised."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from gateway.cases import escalation, judgement, life, unanswered, undelivered
from gateway.cases.case import hold
from gateway.context import Context
from gateway.jobs import sweeps
from gateway.people import hours
from gateway.privacy import loose, retention, rotation
from gateway.store.base import now
from gateway.store.models import Case, Escalation, Message, Photo
from gateway.watch import turns
from gateway.watch.rows import each

log = logging.getLogger(__name__)

SETTLED = timedelta(minutes=2)
"""A case that moved less than this ago may still be on its way."""
STILL_COMING = timedelta(minutes=10)
"""So long after the last one the other photos of a go are waited for: two lost tries on 2G."""
BATCH = 200
RANGE = 10_000
LATELY = timedelta(days=2)
LOOK_EVERY = timedelta(days=1)


def cases_without_answer(context: Context) -> int:
    """Give to a person every judged case of which nobody told the farmer anything.

    A diagnosis and its message are one transaction, so this finds only what a fault of ours or a
    hand in the store left behind: what moved lately is looked at in each round, the rest daily.
    """
    name, moment = "cases_without_answer", now()
    with context.store.reading() as session:
        looked = turns.looked_at(session, name)
        everything = looked is None or not timedelta(0) <= moment - looked < LOOK_EVERY
        ids = _untold(session, moment, everything=everything)
    if everything and len(ids) < BATCH:
        with context.store.transaction() as session:
            turns.look(session, name, moment)

    def give_to_a_person(case_id: int) -> int:
        with context.store.transaction() as session:
            case = hold(session, case_id)
            if case is None:
                return 0  # deleted at the farmer's wish meanwhile
            escalation.escalate(session, context.desk, case, "no_answer", actor="sweep")
        log.error("case_without_answer case=%s", case.code)
        return 1

    return each(context.store, name, ids, give_to_a_person)


def _untold(session: Session, moment: datetime, *, everything: bool) -> list[int]:
    """Ids of a batch of cases without a word to the farmer and without a person. Of everything a
    range of ids at a time, so that no statement reads for long."""
    query = (
        select(Case.id)
        .where(
            Case.state.in_([life.RECEIVED, life.DIAGNOSED, life.PHOTO_REQUESTED, life.ANSWERED]),
            Case.updated_at < moment - SETTLED,
            ~exists().where(Message.case_id == Case.id, Message.direction == "out"),
            ~exists().where(Escalation.case_id == Case.id, Escalation.closed_at.is_(None)),
            ~exists().where(
                Photo.case_id == Case.id,
                or_(Photo.diagnosed_at.is_(None), Photo.following > 0),
            ),
        )
        .order_by(Case.id)
        .limit(BATCH)
    )
    if not everything:
        return list(session.scalars(query.where(Case.updated_at > moment - LATELY)))
    found: list[int] = []
    last = session.scalar(select(func.max(Case.id))) or 0
    for first in range(1, last + 1, RANGE):
        found += session.scalars(query.where(Case.id.between(first, first + RANGE - 1)))
        if len(found) >= BATCH:
            break
    return found[:BATCH]


def photos_that_never_came(context: Context) -> int:
    """Judge cases by the photos they have, where the others of the same go do not come."""
    query = (
        select(Photo.id)
        .where(Photo.following > 0, Photo.received_at < now() - STILL_COMING)
        .limit(BATCH)
    )
    with context.store.reading() as session:
        ids = session.scalars(query).all()

    def judge_without(photo_id: int) -> int:
        card = context.card
        with context.store.transaction() as session:
            given_up = update(Photo).where(Photo.id == photo_id, Photo.following > 0)
            case_id = session.scalar(given_up.values(following=0).returning(Photo.case_id))
            if case_id is None:
                return 0  # another came meanwhile
            case = hold(session, case_id)
            if case is not None and judgement.is_complete(session, case):
                judgement.judge_together(session, context.desk, case, card)
            return 1

    return each(context.store, "photos_that_never_came", ids, judge_without)


def undelivered_answers(context: Context) -> int:
    """Give to a person what no phone took."""
    moment = now()
    with context.store.reading() as session:
        ids = undelivered.due(session, moment, BATCH)

    def hand_over(case_id: int) -> int:
        with context.store.transaction() as session:
            return undelivered.hand_over(session, context.desk, case_id)

    done = each(context.store, "undelivered_answers", ids, hand_over)
    with context.store.transaction() as session:
        undelivered.watch(session, moment)
    return done


def unanswered_escalations(context: Context) -> int:
    """Remind officers, pass cases on, and look for an officer for those of the operator."""
    settings = context.settings
    limits = unanswered.Limits(
        timedelta(hours=settings.remind_hours), timedelta(hours=settings.pass_on_hours)
    )
    zone = hours.zone_of(settings.region)
    moment = now()
    with context.store.reading() as session:
        due = unanswered.due(session, limits, zone, moment)

    def take_step(row: int) -> int:
        with context.store.transaction() as session:
            return unanswered.take_step(session, context.desk, row, limits, zone, moment)

    done = each(context.store, "unanswered_escalations", due, take_step)
    with context.store.transaction() as session:
        unanswered.watch(session, moment)
    return done


def plain_values(context: Context) -> int:
    """Seal what an older release kept plainly: a batch of each table a round."""
    if len(context.store.vault.keys) > 1:
        return 0  # `leafline keys rotate` does it, and says what is left
    progress = rotation.Progress()
    return sum(
        next(rotation.rows(context.store, table, progress), 0) for table in rotation.tables()
    )


def expired_data(context: Context) -> int:
    """Take the persons out of what is older than the retention period.

    Photos whose store seems to be another house's stay noted, and go when that is cleared up.
    """
    before = retention.Before.of(context.settings, now())
    done, stay = 0, None
    for forget, instant in (
        (retention.forget_cases, before.cases),
        (retention.forget_photos, before.photos),
    ):
        while instant is not None:
            with context.store.transaction() as session:
                count, addresses = forget(session, instant)
            if addresses and stay is None:
                stay = sweeps.may_not_delete(context)
            if not stay:  # a crash here leaves them to the sweep of orphans
                loose.remove(context.store, context.photos, addresses, now())
            done += count
            if count < retention.BATCH:
                break
    for some, most in (
        (lambda session: retention.forget_messages(session, before), retention.ROWS),
        (lambda session: retention.forget_audit(session, before.audit), retention.ROWS),
        (lambda session: retention.forget_farmers(session, before.cases), retention.BATCH),
    ):
        done += _in_batches(context, some, most)
    callbacks = partial(retention.forget_callbacks, before=before)
    _in_batches(context, callbacks, retention.ROWS)
    return done


def _in_batches(context: Context, some: Callable[[Session], int], most: int) -> int:
    """Do `some` until it does fewer than the most that it does at once; how many in all."""
    done, count = 0, most
    while count >= most:
        with context.store.transaction() as session:
            count = some(session)
        done += count
    return done
