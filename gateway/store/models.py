"""All nouns of the store in one place to import from; each is defined in its own file."""

from gateway.store.base import Base
from gateway.store.case import Case
from gateway.store.diagnosis import Diagnosis
from gateway.store.escalation import Escalation
from gateway.store.event import Event
from gateway.store.farmer import Farmer
from gateway.store.kiosk import Kiosk
from gateway.store.message import Message
from gateway.store.officer import Officer
from gateway.store.photo import Photo

__all__ = [
    "Base",
    "Case",
    "Diagnosis",
    "Escalation",
    "Event",
    "Farmer",
    "Kiosk",
    "Message",
    "Officer",
    "Photo",
]
