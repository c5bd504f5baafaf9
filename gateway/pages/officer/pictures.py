"""The photos of a case: small for 2G, in full, and with what the model looked at."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from gateway.context import Context
from gateway.pages.officer.door import signed_in
from gateway.store.models import Escalation, Officer, Photo
from gateway.store.photos import PhotoMissing
from gateway.store.vault import SealBroken
from inference.card import ModelError
from inference.picture import PictureError, normalise

log = logging.getLogger(__name__)

SMALL_SIDE = 480
THUMB_SIDE = 160
"""Of a list's picture: some 4 kB."""
KEPT = 64
"""Heat maps kept in memory by each process, some 40 kB each; never on a disk."""


def add_to(pages: Blueprint, context: Context) -> None:
    @functools.lru_cache(maxsize=KEPT)
    def heat(address: str) -> bytes:
        return context.model.heatmap(context.photos.get(address))

    def scaled(address: str, side: int) -> bytes:
        return normalise(context.photos.get(address), side).jpeg

    kinds: dict[str, Callable[[str], bytes]] = {
        "full": context.photos.get,
        "small": functools.partial(scaled, side=SMALL_SIDE),
        "thumb": functools.partial(scaled, side=THUMB_SIDE),
        "heat": heat,
    }

    def photo(officer: Officer, photo_id: int, kind: str) -> ResponseReturnValue:
        address = _address(context, officer, photo_id)
        if address is None or kind not in kinds:
            abort(404)
        try:
            jpeg = kinds[kind](address)
        except (PhotoMissing, SealBroken, PictureError, ModelError) as error:
            log.error("photo_not_shown photo=%s kind=%s error=%s", photo_id, kind, error)
            abort(404)
        # No cache may keep it: the phone may be lent, and the case handed over.
        return Response(jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})

    pages.add_url_rule(
        "/officer/photo/<int:photo_id>/<kind>.jpg", "photo", signed_in(context, photo)
    )


def _address(context: Context, officer: Officer, photo_id: int) -> str | None:
    """Where the photo lies, if it belongs to a case that the officer holds or has answered."""
    query = (
        select(Photo.address)
        .join(Escalation, Escalation.case_id == Photo.case_id)
        .where(
            Photo.id == photo_id,
            Escalation.officer_id == officer.id,
            or_(Escalation.closed_at.is_(None), Escalation.outcome == "answered"),
        )
        .limit(1)
    )
    with context.store.reading() as session:
        return session.scalar(query)
