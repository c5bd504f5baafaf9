"""Report a sick crop without a photo: crop, stage, how many plants, then what it looks like in
pictures of words. It ends in what that sounds like and the kiosks near by, or in an officer, who
gets every answer.

The questions, what they sound like and when an officer is needed at once are those of
`gateway.agronomy`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway import agronomy
from gateway.agronomy import symptoms
from gateway.agronomy.symptoms import Look, Sign, Trouble
from gateway.agronomy.table import CROP_ROWS, TOLD
from gateway.dialogue.ussd.engine import Go, Listing, Option, Screen, Visit
from gateway.dialogue.ussd.facts import KioskFacts, RequestOfficer, SendKiosk
from gateway.dialogue.ussd.screens.advice import PAGES
from gateway.dialogue.ussd.screens.entry import told_enough
from gateway.dialogue.ussd.screens.officer import request

SHOWN = 3
"""Kiosks that are told of: the nearest."""
ENDS = ("report_kiosk", "officer_requested", "nobody_on_duty")


def _trouble(told: Mapping[str, str]) -> Trouble | None:
    return symptoms.sounds_like(told.get("crop", ""), told.get("look", ""), told.get("sign", ""))


def _facts(told: Mapping[str, str]) -> dict[str, str]:
    """What was told, pods among it where her choice of words tells of them."""
    pods = symptoms.tells_of_pods(told.get("crop", ""), told.get("look", ""))
    return {**told, **({"pods": "yes"} if pods else {})}


def _report(told: Mapping[str, str]) -> RequestOfficer:
    trouble = _trouble(told)
    return RequestOfficer(
        "report",
        crop=told.get("crop", ""),
        stage=told.get("stage", ""),
        plants=told.get("plants", ""),
        sprayed=told.get("sprayed", ""),
        look=told.get("look", ""),
        sign=told.get("sign", ""),
        pods=_facts(told).get("pods", ""),
        sounds=trouble.code if trouble else "",
    )


def _near(visit: Visit) -> list[KioskFacts]:
    """The nearest three; where none is known to be near, the farmer knows better."""
    kiosks = visit.facts.kiosks(visit["area"])
    return [*([one for one in kiosks if one.near] or kiosks)][:SHOWN]


def _end(visit: Visit, **answer: str) -> Go:
    """After the last question."""
    told = {**visit.state.data, **answer}
    trouble = _trouble(told)
    code = trouble.code if trouble else None
    person = agronomy.person_needed(told["crop"], _facts(told), code) is not None
    if told.get("look"):
        person = person or trouble is None or trouble.person
    if not person and _near(visit):
        return Go("report_kiosk", data=answer)
    return replace(request(visit, _report(told)), data=answer)


def _sprayed(value: str) -> Option:
    number, label = {"no": ("1", "option_no"), "yes": ("2", "option_yes")}[value]
    return Option(number, label, ENDS[0], lambda visit: _end(visit, sprayed=value), also=ENDS[1:])


def _send(visit: Visit) -> Go:
    near = _near(visit)
    return Go("sent_by_sms", effects=(SendKiosk(near[0].id),) if near else ())


def _kiosk_text(visit: Visit) -> str:
    near = _near(visit)
    if not near:
        return visit.say("ussd_no_kiosk")
    if trouble := _trouble(visit.state.data):
        return visit.say("ussd_sounds", disease=trouble.code)
    return visit.say("ussd_report_kiosk", kiosk=near[0].name, opening=near[0].opening)


def _kiosk_row(visit: Visit, kiosk_id: str) -> str:
    kiosk = next((one for one in _near(visit) if one.id == kiosk_id), None)
    return visit.say("option_kiosk_row", kiosk=kiosk.name if kiosk else "?")


def _has_page(visit: Visit) -> bool:
    trouble = _trouble(visit.state.data)
    return trouble is not None and trouble.code in PAGES


def _what_to_do(visit: Visit) -> Go:
    trouble = _trouble(visit.state.data)
    return Go("advice", data={"label": trouble.code if trouble else ""})


def _choice(name: str, number: int, value: str, to: str, prefix: str) -> Option:
    return Option(str(number), f"{prefix}{value}", to, lambda _: Go(to, data={name: value}))


def _choices(name: str, to: str, prefix: str) -> tuple[Option, ...]:
    return tuple(
        _choice(name, number, value, to, prefix) for number, value in enumerate(TOLD[name], 1)
    )


_CROPS = [row.code for row in CROP_ROWS if symptoms.looks_of(row.code)]
"""Crops of which there are looks to choose from; of any other one question more is asked."""


def _plants(number: int, value: str) -> Option:
    def go(visit: Visit) -> Go:
        crop = visit["crop"]
        to = f"report_look_{crop}" if crop in _CROPS else "report_sprayed"
        return Go(to, data={"plants": value})

    also = tuple(f"report_look_{crop}" for crop in _CROPS)
    return Option(str(number), f"option_plants_{value}", "report_sprayed", go, also=also)


def _look(row: Look) -> Option:
    to = f"report_sign_{row.crop}_{row.name}" if row.signs else "report_sprayed"
    told = {"look": row.name, "sign": "", "sprayed": ""}
    return Option(str(row.number), f"option_look_{row.name}", to, lambda _: Go(to, data=told))


def _looks(crop: str) -> Screen:
    options = tuple(map(_look, symptoms.looks_of(crop)))
    return Screen(f"report_look_{crop}", "ussd_look", options)


def _sign(row: Sign) -> Option:
    return Option(
        str(row.number),
        f"option_sign_{row.name}",
        ENDS[0],
        lambda visit: _end(visit, sign=row.name),
        also=ENDS[1:],
    )


def _signs(row: Look) -> Screen:
    name = f"report_sign_{row.crop}_{row.name}"
    return Screen(name, f"ussd_sign_{row.name}", tuple(map(_sign, row.signs)), whole=True)


def _listed(visit: Visit) -> Sequence[str]:
    return [kiosk.id for kiosk in _near(visit)] if _trouble(visit.state.data) else []


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
        tuple(_plants(number, value) for number, value in enumerate(TOLD["plants"], 1)),
    ),
    *map(_looks, _CROPS),
    *(_signs(row) for row in symptoms.LOOKS if row.signs),
    Screen("report_sprayed", "ussd_report_sprayed", (_sprayed("no"), _sprayed("yes"))),
    Screen(
        "report_kiosk",
        _kiosk_text,
        (
            Option("1", "option_send_sms", "sent_by_sms", _send),
            Option(
                "2",
                "option_officer",
                "officer_requested",
                lambda visit: request(visit, _report(visit.state.data)),
                also=("nobody_on_duty",),
            ),
            Option("6", "option_what_to_do", "advice", _what_to_do, when=_has_page),
        ),
        listing=Listing(
            values=_listed,
            label=_kiosk_row,
            chosen=lambda _, kiosk_id: Go("kiosk", data={"kiosk": kiosk_id}),
            leads=("kiosk",),
        ),
    ),
]
