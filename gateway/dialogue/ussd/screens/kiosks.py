"""Find a kiosk: the nearest first, with its opening days."""

from __future__ import annotations

from gateway.dialogue.ussd.engine import Go, Listing, Option, Screen, Visit
from gateway.dialogue.ussd.facts import KioskFacts, SendKiosk


def _chosen(visit: Visit) -> KioskFacts | None:
    return next((k for k in visit.facts.kiosks() if k.id == visit["kiosk"]), None)


def _row(visit: Visit, kiosk_id: str) -> str:
    kiosk = next((k for k in visit.facts.kiosks() if k.id == kiosk_id), None)
    return visit.say("option_kiosk_row", kiosk=kiosk.name if kiosk else "?")


def _about(visit: Visit) -> str:
    kiosk = _chosen(visit)
    if kiosk is None:
        return visit.say("ussd_no_kiosk")
    return visit.say("ussd_kiosk_about", kiosk=kiosk.name, place=kiosk.area, opening=kiosk.opening)


SCREENS = [
    Screen(
        "kiosks",
        lambda visit: visit.say("ussd_kiosks" if visit.state.items else "ussd_no_kiosk"),
        listing=Listing(
            values=lambda visit: [kiosk.id for kiosk in visit.facts.kiosks()],
            label=_row,
            chosen=lambda _, kiosk_id: Go("kiosk", data={"kiosk": kiosk_id}),
            leads=("kiosk",),
        ),
        reading=True,
    ),
    Screen(
        "kiosk",
        _about,
        (
            Option(
                "1",
                "option_send_sms",
                "sent_by_sms",
                lambda visit: Go("sent_by_sms", effects=(SendKiosk(visit["kiosk"]),)),
            ),
        ),
        reading=True,
    ),
]
