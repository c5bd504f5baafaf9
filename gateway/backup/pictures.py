"""What backing up, restoring and moving have in common about photos."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import select

from gateway.store.models import Photo
from gateway.store.photos import PhotoMissing, PhotoStore
from gateway.store.vault import SealBroken

T = TypeVar("T")

log = logging.getLogger("leafline.backup")

AT_ONCE = 8
SHOWN = select(Photo.address).where(Photo.gone_at.is_(None)).distinct()
"""Addresses of the photos that cases show."""


def each(work: Callable[[str], T], addresses: Iterable[str]) -> list[T]:
    """`work` on each photo, some of them side by side. The first thing that it raises ends it."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, addresses))


def read(photos: PhotoStore, address: str) -> bytes | None:
    """A photo, or None where it was deleted meanwhile or its file is damaged: the house lives with
    that too. Raises: PhotosAway."""
    try:
        return photos.get(address)
    except (PhotoMissing, SealBroken, OSError) as error:
        log.warning("photo_not_read reason=%s", type(error).__name__)
        return None
