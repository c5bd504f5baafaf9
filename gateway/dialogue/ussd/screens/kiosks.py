"""Find a kiosk: the nearest first, with its opening days."""

from __future__ import annotations

from gateway.dialogue.ussd.engine import Go, Listing, Option, Screen, Visit
from gateway.dialogue.ussd.facts import KioskFacts, SendKiosk
from gateway.dialogue.ussd.screens.entry import consent_needed


def _chosen(visit: Visit) -> KioskFacts | None:
    return next((k for k in visit.facts.kiosks(visit["area"]) if k.id == visit["kiosk"]), None)


def _row(visit: Visit, kiosk_id: str) -> str:
    kiosk = next((k for k in visit.facts.kiosks(visit["area"]) if k.id == kiosk_id), None)
    return visit.say("option_kiosk_row", kiosk=kiosk.name if kiosk else "?")


def _about(visit: Visit) -> str:
    kiosk = _chosen(visit)
    if kiosk is None:
        return visit.say("ussd_no_kiosk")
    return visit.say("ussd_kiosk_about", kiosk=kiosk.name, place=kiosk.area, opening=kiosk.opening)


def _may_be_kept(visit: Visit) -> bool:
    return not consent_needed(visit) and bool(visit.facts.units())


SCREENS = [
    Screen(
        "kiosks",
        lambda visit: visit.say("ussd_kiosks" if visit.state.items else "ussd_no_kiosk"),
        (
            Option(
                "90",
                "option_place",
                "area_district",
                lambda _: Go("area_district", data={"wanted": "", "letters": ""}),
                when=_may_be_kept,
            ),
        ),
        listing=Listing(
            values=lambda visit: [kiosk.id for kiosk in visit.facts.kiosks(visit["area"])],
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
