"""What a conversation needs of the house, and no more."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.cases.desk import Desk
from gateway.dialogue.catalogue import Catalogue
from gateway.people.areas import NO_UNITS, Units
from gateway.store import Store
from gateway.store.photos import PhotoStore


@dataclass(frozen=True)
class Parts:
    """Made once a process, where everything is opened."""

    store: Store
    photos: PhotoStore
    """Only for deleting what a farmer wants forgotten."""
    texts: Catalogue
    desk: Desk
    language: str
    """Spoken where nothing better is known."""
    ussd_code: str
    """As it is dialled, `*384*123#`."""
    areas: Units = NO_UNITS
    """Of the country that is served."""
