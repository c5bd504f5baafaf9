"""Advice by crop and disease, without a photo: what it looks like, what to do, next season."""

from __future__ import annotations

from gateway.agronomy.crops import CROPS, LABEL_CROP
from gateway.dialogue.ussd.engine import Go, Option, Screen, Visit
from gateway.dialogue.ussd.facts import SendText

_CROP_NUMBERS = {"maize": "1", "beans": "2", "cassava": "3"}
_DISEASE_NUMBERS = {
    "maize_rust": "1",
    "maize_blight": "2",
    "healthy": "3",
    "bean_spot": "1",
    "cassava_mosaic": "1",
}


def _disease(label: str) -> Option:
    about = Go("advice", data={"label": label})
    return Option(_DISEASE_NUMBERS[label], f"disease_{label}", "advice", lambda _: about)


def _crop_screen(crop: str) -> Screen:
    diseases = [label for label, its_crop in LABEL_CROP.items() if its_crop == crop]
    diseases.sort(key=_DISEASE_NUMBERS.__getitem__)
    return Screen(f"advice_{crop}", "ussd_advice_disease", tuple(map(_disease, diseases)))


def _send(visit: Visit) -> Go:
    return Go("sent_by_sms", effects=(SendText(f"prevent_{visit['label']}"),))


SCREENS = [
    Screen(
        "advice_crop",
        "ussd_advice_crop",
        tuple(Option(_CROP_NUMBERS[crop], f"crop_{crop}", f"advice_{crop}") for crop in CROPS),
    ),
    *map(_crop_screen, CROPS),
    Screen(
        "advice",
        lambda visit: visit.say(f"ussd_about_{visit['label']}"),
        (
            Option("1", "option_next_season", "advice_prevention"),
            Option("2", "option_officer", "officer_reason"),
        ),
    ),
    Screen(
        "advice_prevention",
        lambda visit: visit.say(f"prevent_{visit['label']}"),
        (
            Option("1", "option_send_sms", "sent_by_sms", _send),
            Option("2", "option_officer", "officer_reason"),
        ),
    ),
]
