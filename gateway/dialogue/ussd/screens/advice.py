"""Advice by crop and disease, without a photo: what it looks like, what to do, next season."""

from __future__ import annotations

from gateway.agronomy import ADVISED, diseases_of
from gateway.agronomy.symptoms import TROUBLES, pages_of
from gateway.agronomy.table import CROP_ROWS, Crop
from gateway.dialogue.ussd.engine import Go, Option, Screen, Visit
from gateway.dialogue.ussd.facts import SendText

_CROPS = [row for row in CROP_ROWS if row.judged]


PAGES = ADVISED | {row.code for row in TROUBLES if row.number}
"""What there is advice on: diseases of the model, and what people ask about that it does not know.
"""


def _page(number: int, code: str) -> Option:
    about = Go("advice", data={"label": code})
    return Option(str(number), f"disease_{code}", "advice", lambda _: about)


def _crop(row: Crop) -> Option:
    return Option(str(row.number), f"crop_{row.code}", f"advice_{row.code}")


def _crop_screen(row: Crop) -> Screen:
    pages = [(one.number, one.label) for one in diseases_of(row.code)]
    pages += [(one.number, one.code) for one in pages_of(row.code)]
    options = tuple(_page(*page) for page in sorted(pages))
    return Screen(f"advice_{row.code}", "ussd_advice_disease", options)


def _send(visit: Visit) -> Go:
    return Go("sent_by_sms", effects=(SendText(f"prevent_{visit['label']}"),))


SCREENS = [
    Screen(
        "advice_crop",
        "ussd_advice_crop",
        tuple(map(_crop, _CROPS)),
    ),
    *map(_crop_screen, _CROPS),
    Screen(
        "advice",
        lambda visit: visit.say(f"ussd_about_{visit['label']}"),
        (
            Option("1", "option_next_season", "advice_prevention"),
            Option("2", "option_officer", "officer_reason"),
        ),
        reading=True,
    ),
    Screen(
        "advice_prevention",
        lambda visit: visit.say(f"prevent_{visit['label']}"),
        (
            Option("1", "option_send_sms", "sent_by_sms", _send),
            Option("2", "option_officer", "officer_reason"),
        ),
        reading=True,
    ),
]
