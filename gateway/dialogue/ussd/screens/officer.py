"""Talk to an officer: a call-back, with the reason for it."""

from __future__ import annotations

from dataclasses import replace

from gateway.dialogue.ussd.engine import Go, Option, Screen, Visit
from gateway.dialogue.ussd.facts import RequestOfficer
from gateway.dialogue.ussd.screens.entry import told_enough


def request(visit: Visit, effect: RequestOfficer) -> Go:
    """Ask for the officer, and be honest about whether one is there."""
    area = visit["area"]
    to = "officer_requested" if visit.facts.on_duty(area) else "nobody_on_duty"
    return Go(to, effects=(replace(effect, area=area),))


def _reason(number: str, reason: str) -> Option:
    def ask(visit: Visit) -> Go:
        return request(visit, RequestOfficer(reason, another=reason == "other"))

    label = f"option_reason_{reason}"
    return Option(number, label, "officer_requested", ask, also=("nobody_on_duty",))


SCREENS = [
    Screen(
        "officer_reason",
        "ussd_officer_reason",
        (
            _reason("1", "spraying"),
            _reason("2", "spreading"),
            _reason("3", "no_answer"),
            _reason("4", "other"),
        ),
        guard=told_enough,
        guards=("consent", "area_district"),
    ),
    Screen("officer_requested", "ussd_officer_requested", end=True),
    Screen("nobody_on_duty", "ussd_nobody_on_duty", end=True),
]
