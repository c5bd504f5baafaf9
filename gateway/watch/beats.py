"""Beats: every process says in the store that it lives, and who watches misses one that does not.

One that ends in order takes its row away. A machine that is gone for good is forgotten after a day.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from gateway.store import Store, away, patience
from gateway.store.base import now
from gateway.store.models import Beat, Message, Photo
from gateway.store.states import MessageState
from gateway.watch import incidents

log = logging.getLogger("leafline.beats")

EVERY_SECONDS = 20.0
PATIENCE = 5.0
SILENT = timedelta(seconds=90)
"""Longer than a supervisor needs to start a process that died."""
FORGOTTEN = timedelta(days=1)
LATE = timedelta(minutes=10)
URGENT = 4
"""Priority of answers, replies and escalations; notices may wait for longer."""
PROCESS, MESSAGES, PHOTOS = "process:", "messages:waiting", "photos:waiting"
CAUSE_LENGTH = 60


def host() -> str:
    """This machine, as causes and beats name it."""
    return socket.gethostname()[:30]


@contextmanager
def beating(store: Store, kind: str) -> Iterator[None]:
    """A thread says, while the block runs, that this process lives."""
    name = f"{host()}/{os.environ.get('LEAFLINE_PROCESS') or kind}"
    stop = threading.Event()
    thread = threading.Thread(
        target=_beat, args=(store, name, kind, stop), name="beat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE)
        _quietly(store, lambda session: session.execute(delete(Beat).where(Beat.process == name)))


def beat(session: Session, process: str, kind: str) -> None:
    session.merge(Beat(process=process, kind=kind, host=process.partition("/")[0], at=now()))


def _beat(store: Store, process: str, kind: str, stop: threading.Event) -> None:
    while not stop.is_set():
        _quietly(store, lambda session: beat(session, process, kind))
        stop.wait(EVERY_SECONDS)


def _quietly(store: Store, work: Callable[[Session], object]) -> None:
    try:
        with patience(PATIENCE), store.transaction() as session:
            work(session)
    except Exception as error:  # two at once, or a store that is away: the next beat is not far
        if not away(error):
            log.warning("beat_not_written error=%s", type(error).__name__)


def watch(session: Session, moment: datetime) -> None:
    """Open and close the incidents of processes that are missing and of what waits too long."""
    session.execute(delete(Beat).where(Beat.at < moment - FORGOTTEN))
    silent = select(Beat.process, Beat.at).where(Beat.at < moment - SILENT)
    incidents.mark_all(
        session,
        PROCESS,
        {
            (PROCESS + process)[:CAUSE_LENGTH]: (
                f"not seen since {at:%H:%M} UTC: look at that machine, and start it again"
            )
            for process, at in session.execute(silent)
        },
    )
    oldest = session.scalar(
        select(func.min(Message.created_at)).where(
            Message.state == MessageState.QUEUED,
            Message.priority <= URGENT,
            Message.not_before < moment - LATE,
            Message.created_at < moment - LATE,  # what may leave at once bears no time to leave at
        )
    )
    said = "answers wait since {:%H:%M} UTC: does `leafline sender` run? See also channel:"
    incidents.mark(session, MESSAGES, said.format(oldest) if oldest else "")
    oldest = session.scalar(
        select(func.min(Photo.received_at)).where(
            Photo.diagnosed_at.is_(None), Photo.received_at < moment - LATE
        )
    )
    said = "photos wait since {:%H:%M} UTC: does `leafline worker` run, are Redis and photos there?"
    incidents.mark(session, PHOTOS, said.format(oldest) if oldest else "")


def missing(session: Session, moment: datetime) -> list[str]:
    """Processes that were not seen lately, as `<host>/<name>`."""
    query = select(Beat.process).where(Beat.at < moment - SILENT, Beat.at > moment - FORGOTTEN)
    return list(session.scalars(query.order_by(Beat.process)))
