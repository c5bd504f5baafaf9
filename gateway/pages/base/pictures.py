"""The photos of cases: small for 2G, in full, and with what the model looked at."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

from flask import Response, abort

from gateway.context import Context
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


class Pictures:
    def __init__(self, context: Context) -> None:
        @functools.lru_cache(maxsize=KEPT)
        def heat(address: str) -> bytes:
            return context.model.heatmap(context.photos.get(address))

        def scaled(address: str, side: int) -> bytes:
            return normalise(context.photos.get(address), side).jpeg

        self._kinds: dict[str, Callable[[str], bytes]] = {
            "full": context.photos.get,
            "small": functools.partial(scaled, side=SMALL_SIDE),
            "thumb": functools.partial(scaled, side=THUMB_SIDE),
            "heat": heat,
        }

    def show(self, address: str | None, kind: str) -> Response:
        """Args: address: None for what whoever asks may not see."""
        if address is None or kind not in self._kinds:
            abort(404)
        try:
            jpeg = self._kinds[kind](address)
        except (PhotoMissing, SealBroken, PictureError, ModelError) as error:
            log.error("photo_not_shown address=%s kind=%s error=%s", address[:12], kind, error)
            abort(404)
        # No cache may keep it: the phone may be lent, and the case handed over.
        return Response(jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})
