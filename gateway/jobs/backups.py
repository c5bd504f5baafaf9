"""Backups that are made by themselves."""

from __future__ import annotations

import logging
from datetime import timedelta

from gateway.backup import BackupError, making
from gateway.backup.place import Place
from gateway.context import BOOK, Context
from gateway.store.base import now
from gateway.store.photos import PhotoStoreError
from gateway.watch import incidents

log = logging.getLogger("leafline.backup")

CAUSE = "backup:failed"


def due(context: Context) -> int:
    """Make a backup where the last is old enough, and let the oldest go. How many were made."""
    settings = context.settings
    if not settings.backups_url:
        return 0
    last = making.last(context.store)
    if last is not None and now() - last < timedelta(hours=settings.backup_hours):
        return 0
    trouble = ""
    try:
        place = Place(settings.backups_url)
        made = making.make(
            context.store, context.photos, settings.home / BOOK, place, settings.home
        )
        log.info("backup_made name=%s rows=%s photos=%s", made.name, made.rows, made.photos)
        making.let_go(place, settings.backups_kept)
    except (BackupError, PhotoStoreError, OSError) as error:
        last = making.last(context.store)  # it may be letting go that failed
        since = f"{last:%Y-%m-%d %H:%M} UTC" if last else "ever"
        trouble = f"no backup since {since}: {error}"
        log.error("backup_failed error=%s", error)
    with context.store.transaction() as session:
        incidents.mark(session, CAUSE, trouble)
    return int(not trouble)
