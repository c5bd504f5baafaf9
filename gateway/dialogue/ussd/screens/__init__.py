"""The screens, a file for each thing that somebody comes to do."""

from __future__ import annotations

from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.ussd.engine import Menu
from gateway.dialogue.ussd.screens import (
    advice,
    desk,
    entry,
    kiosks,
    officer,
    place,
    privacy,
    report,
    results,
)


def menu(texts: Catalogue) -> Menu:
    """The whole menu of Leafline."""
    screens = [
        *entry.screens(texts),
        *results.SCREENS,
        *advice.SCREENS,
        *report.SCREENS,
        *officer.SCREENS,
        *kiosks.SCREENS,
        *place.SCREENS,
        *privacy.SCREENS,
        *desk.SCREENS,
    ]
    return Menu(screens, texts, first=entry.first, home=entry.home)
