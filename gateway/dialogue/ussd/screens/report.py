"""Report a sick crop without a photo: four questions, then a kiosk or an officer.

The questions and when an officer is needed at once are those of `gateway.agronomy`.
"""

from __future__ import annotations

from dataclasses import replace

from gateway import agronomy
from gateway.agronomy.table import CROP_ROWS, TOLD
from gateway.dialogue.ussd.engine import Go, Option, Screen, Visit
from gateway.dialogue.ussd.facts import KioskFacts, RequestOfficer, SendKiosk
from gateway.dialogue.ussd.screens.entry import told_enough
from gateway.dialogue.ussd.screens.officer import request


def _report(visit: Visit) -> RequestOfficer:
    return RequestOfficer(
        "report",
        crop=visit["crop"],
        stage=visit["stage"],
        plants=visit["plants"],
        sprayed=visit["sprayed"],
    )


def _nearest(visit: Visit) -> KioskFacts | None:
    return next((kiosk for kiosk in visit.facts.kiosks(visit["area"]) if kiosk.near), None)


def _where_to(sprayed: str) -> Option:
    def decide(visit: Visit) -> Go:
        told = {"sprayed": sprayed}
        needed = agronomy.urgent(visit["crop"], visit["stage"], visit["plants"]) is not None
        if not needed and _nearest(visit) is not None:
            return Go("report_kiosk", data=told)
        if not needed and visit.facts.kiosks(visit["area"]):
            return Go("kiosks", data=told)  # none is known to be near: the farmer knows better
        go = request(visit, replace(_report(visit), sprayed=sprayed))
        return replace(go, data=told)

    number, label = {"no": ("1", "option_no"), "yes": ("2", "option_yes")}[sprayed]
    also = ("kiosks", "officer_requested", "nobody_on_duty")
    return Option(number, label, "report_kiosk", decide, also=also)


def _send(visit: Visit) -> Go:
    kiosk = _nearest(visit)
    return Go("sent_by_sms", effects=(SendKiosk(kiosk.id),) if kiosk else ())


def _kiosk_text(visit: Visit) -> str:
    kiosk = _nearest(visit)
    if kiosk is None:
        return visit.say("ussd_no_kiosk")
    return visit.say("ussd_report_kiosk", kiosk=kiosk.name, opening=kiosk.opening)


def _choice(name: str, number: int, value: str, to: str, prefix: str) -> Option:
    return Option(str(number), f"{prefix}{value}", to, lambda _: Go(to, data={name: value}))


def _choices(name: str, to: str, prefix: str) -> tuple[Option, ...]:
    return tuple(
        _choice(name, number, value, to, prefix) for number, value in enumerate(TOLD[name], 1)
    )


SCREENS = [
    Screen(
        "report_crop",
        "ussd_report_crop",
        tuple(_choice("crop", row.number, row.code, "report_stage", "crop_") for row in CROP_ROWS),
        guard=told_enough,
        guards=("consent", "area_district"),
    ),
    Screen(
        "report_stage",
        "ussd_report_stage",
        _choices("stage", "report_plants", "option_stage_"),
    ),
    Screen(
        "report_plants",
        "ussd_report_plants",
        _choices("plants", "report_sprayed", "option_plants_"),
    ),
    Screen("report_sprayed", "ussd_report_sprayed", (_where_to("no"), _where_to("yes"))),
    Screen(
        "report_kiosk",
        _kiosk_text,
        (
            Option("1", "option_send_sms", "sent_by_sms", _send),
            Option(
                "2",
                "option_officer",
                "officer_requested",
                lambda visit: request(visit, _report(visit)),
                also=("nobody_on_duty",),
            ),
        ),
    ),
]
