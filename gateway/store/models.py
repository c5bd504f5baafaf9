"""All nouns of the store in one place to import from; each is defined in its own file."""

from gateway.store.base import Base
from gateway.store.beat import Beat
from gateway.store.broadcast import Broadcast
from gateway.store.case import Case
from gateway.store.delivery_report import DeliveryReport
from gateway.store.diagnosis import Diagnosis
from gateway.store.erasure import Erasure
from gateway.store.escalation import Escalation
from gateway.store.event import Event
from gateway.store.farmer import Farmer
from gateway.store.house_fact import HouseFact
from gateway.store.incident import Incident
from gateway.store.kiosk import Kiosk
from gateway.store.kiosk_device import KioskDevice
from gateway.store.label import Label
from gateway.store.lockout import Lockout
from gateway.store.loose_photo import LoosePhoto
from gateway.store.media import MediaMessage
from gateway.store.message import Message
from gateway.store.officer import Officer
from gateway.store.officer_link import OfficerLink
from gateway.store.operator import Operator
from gateway.store.photo import Photo
from gateway.store.profile import Profile
from gateway.store.repair import Repair
from gateway.store.seal_key import SealKey
from gateway.store.sign_in import SignIn
from gateway.store.spending import Spending
from gateway.store.sweep_turn import SweepTurn
from gateway.store.ussd_session import UssdSession

__all__ = [
    "Base",
    "Beat",
    "Broadcast",
    "Case",
    "DeliveryReport",
    "Diagnosis",
    "Erasure",
    "Escalation",
    "Event",
    "Farmer",
    "HouseFact",
    "Incident",
    "Kiosk",
    "KioskDevice",
    "Label",
    "Lockout",
    "LoosePhoto",
    "MediaMessage",
    "Message",
    "Officer",
    "OfficerLink",
    "Operator",
    "Photo",
    "Profile",
    "Repair",
    "SealKey",
    "SignIn",
    "Spending",
    "SweepTurn",
    "UssdSession",
]
