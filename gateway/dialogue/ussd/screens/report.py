"""Report a sick crop without a photo: four questions, then a kiosk or an officer.

The questions and when an officer is needed at once are those of the agronomy rules: most plants
sick, or leaf disease before flowering, or a crop that no photo of ours can judge.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.agronomy.crops import CROPS
from gateway.dialogue.ussd.engine import Go, Option, Screen, Visit
from gateway.dialogue.ussd.facts import KioskFacts, RequestOfficer, SendKiosk
from gateway.dialogue.ussd.screens.entry import consent_needed
from gateway.dialogue.ussd.screens.officer import request

STAGES = ("young", "before_flowering", "flowering", "filling")
PLANTS = ("one", "few", "half", "most")


def officer_needed(crop: str, stage: str, plants: str) -> bool:
    """Whether a person must look at once, instead of a photo first."""
    if crop not in CROPS or plants == "most":
        return True
    return crop == "maize" and stage == "before_flowering" and plants == "half"


def _report(visit: Visit) -> RequestOfficer:
    return RequestOfficer(
        "report",
        crop=visit["crop"],
        stage=visit["stage"],
        plants=visit["plants"],
        sprayed=visit["sprayed"],
    )


def _nearest(visit: Visit) -> KioskFacts | None:
    return next((kiosk for kiosk in visit.facts.kiosks() if kiosk.near), None)


def _where_to(sprayed: str) -> Option:
    def decide(visit: Visit) -> Go:
        told = {"sprayed": sprayed}
        needed = officer_needed(visit["crop"], visit["stage"], visit["plants"])
        if not needed and _nearest(visit) is not None:
            return Go("report_kiosk", data=told)
        if not needed and visit.facts.kiosks():
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


def _choices(name: str, values: tuple[str, ...], to: str, prefix: str) -> tuple[Option, ...]:
    def option(number: int, value: str) -> Option:
        return Option(str(number), f"{prefix}{value}", to, lambda _: Go(to, data={name: value}))

    return tuple(option(number, value) for number, value in enumerate(values, 1))


SCREENS = [
    Screen(
        "report_crop",
        "ussd_report_crop",
        _choices("crop", (*CROPS, "other"), "report_stage", "crop_"),
        guard=consent_needed,
        guards=("consent",),
    ),
    Screen(
        "report_stage",
        "ussd_report_stage",
        _choices("stage", STAGES, "report_plants", "option_stage_"),
    ),
    Screen(
        "report_plants",
        "ussd_report_plants",
        _choices("plants", PLANTS, "report_sprayed", "option_plants_"),
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
