"""The way in: language, consent, the main menu, going on after a dropped call."""

from __future__ import annotations

import json
from dataclasses import replace

from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.ussd.engine import Go, Option, Screen, State, Visit
from gateway.dialogue.ussd.facts import Facts, GiveConsent, SetLanguage

RESUME = "9"
"""No number of a farmer's main menu: a path that is replayed without the offer then stops there
instead of going astray."""

NEED_CONSENT = ("report_crop", "officer_reason")
"""Screens behind which something is kept or shown to a person, who must know where she is."""


def first(facts: Facts) -> str:
    """A first dial is language and consent; an officer's number is asked for its PIN."""
    return "officer_pin" if facts.officer() else farmers_first(facts)


def farmers_first(facts: Facts) -> str:
    farmer = facts.farmer()
    if farmer is None or farmer.language is None:
        return "language_first"
    if farmer.began:
        return farmer.began
    if not farmer.consented:
        return "consent"
    return "news" if facts.news() else "main"


def home(state: State, facts: Facts) -> str:
    """The desk for an officer who gave the PIN; else the main menu, with or without consent; the
    beginning before the language is known."""
    if state.data.get("pin") == "ok":
        return "desk"
    if state.screen == "resume" and facts.officer():
        return "officer_pin"
    farmer = facts.farmer()
    known = "asked" in state.data or (farmer and farmer.language)
    return "main" if known else "language_first"


def consent_needed(visit: Visit) -> str:
    farmer = visit.facts.farmer()
    return "" if visit["agreed"] or (farmer and farmer.consented) else "consent"


def told_enough(visit: Visit) -> str:
    """Consent, and where the field is, before a person is asked for."""
    return consent_needed(visit) or _area_needed(visit)


def _area_needed(visit: Visit) -> str:
    farmer = visit.facts.farmer()
    known = visit["area"] or (farmer and farmer.area) or not visit.facts.units()
    return "" if known else "area_district"


def screens(texts: Catalogue) -> list[Screen]:
    return [
        Screen("language_first", "ussd_language_first", _languages(texts, first=True), home=True),
        Screen("language", "ussd_language", _languages(texts, first=False)),
        *SCREENS,
    ]


def _languages(texts: Catalogue, *, first: bool) -> tuple[Option, ...]:
    return tuple(_language(number, code, first) for number, code in texts.menu_numbers.items())


def _language(number: str, code: str, first: bool) -> Option:
    label = f"option_language_{code}"
    if first:
        chosen = Go("consent", language=code, data={"asked": "yes"})
        return Option(number, label, "consent", lambda _: chosen)

    def change(visit: Visit) -> Go:
        # Without consent nothing is kept, the language neither: it holds for this session.
        kept = () if consent_needed(visit) else (SetLanguage(code),)
        return Go("main", effects=kept, language=code, note="ussd_language_set", forget=True)

    return Option(number, label, "main", change)


def _agree(visit: Visit) -> Go:
    yes = GiveConsent(visit.state.language)
    wanted = visit["wanted"] if visit["wanted"] in NEED_CONSENT else "main"
    return Go(
        wanted,
        effects=(yes,),
        data={"agreed": "yes"},  # the facts say so only after the effects
        note="ussd_consent_given",
        forget=True,
    )


def _resume(visit: Visit) -> Go:
    """To where the dropped session was, less the PIN (the phone may have changed hands) and the
    consent (it may have been taken back)."""
    state = State.from_json(json.loads(visit["resume"]))
    data = {name: value for name, value in state.data.items() if name not in ("pin", "agreed")}
    return Go("main", resume=replace(state, data=data, note=""))


def _not_agreed(visit: Visit) -> bool:
    """A yes that was dialled ahead is no consent: nobody has read what it agrees to."""
    farmer = visit.facts.farmer()
    return farmer is None or not farmer.consented


def _officer_calls(visit: Visit) -> bool:
    return visit.facts.officer() is not None


MAIN = (
    Option("1", "option_results", "results"),
    Option("2", "option_advice", "advice_crop"),
    Option("3", "option_report", "report_crop"),
    Option("4", "option_officer", "officer_reason"),
    Option("5", "option_kiosk", "kiosks"),
    Option("6", "option_language", "language"),
    Option("7", "option_privacy", "privacy"),
    Option("8", "option_help", "help"),
    Option("9", "option_desk", "desk", when=_officer_calls),
)


def _help(visit: Visit) -> str:
    text = visit.say("ussd_help")
    return f"{text} {visit.say('ussd_help_costs')}" if visit.texts.tells_costs() else text


SCREENS = [
    Screen(
        "consent",
        "ussd_consent",
        (
            Option("1", "option_yes", "main", _agree, also=NEED_CONSENT),
            Option("2", "option_no", "main", lambda _: Go("main", note="ussd_consent_refused")),
        ),
        home=True,
        whole=True,
        unread=_not_agreed,
    ),
    Screen(
        "main",
        "ussd_main",
        MAIN,
        home=True,
    ),
    Screen("help", _help, reading=True),
    Screen(
        "resume",
        "ussd_resume",
        (Option(RESUME, "option_resume", "main", _resume),),
    ),
    Screen("trouble", "ussd_trouble", end=True),
    Screen("too_many_misses", "ussd_too_many_misses", end=True),
]
