"""A small week of a season, and the checks that would find what is wrong with one."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.season.habits import OPERATOR, cast
from benchmarks.season.play import Play
from benchmarks.season.rules import Told, contradictions
from benchmarks.season.telling import figures, transcript
from gateway.context import Context
from gateway.settings import Settings
from rig.house import UNBOUNDED

BEGAN = datetime(2026, 11, 2, 8, tzinfo=UTC)
VISIT = "Ada will visit you by 06/11/2026"


def told(*texts: tuple[str, str], every: timedelta = timedelta(hours=2)) -> list[Told]:
    """(template, text) of one case, one after the other."""
    return [
        Told(BEGAN + every * n, "+250788000001", text, template, "K7Q2M93")
        for n, (template, text) in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("told_", "wrong"),
    [
        (told(("no_officer", "none"), ("ussd_case_with_officer", "with an officer")), 1),
        (told(("no_officer", "none"), ("words_passed", "go to the officer")), 1),
        (
            told(
                ("no_officer", "none"),
                ("escalation_farmer", "an officer will call"),
                ("ussd_case_with_officer", "with an officer"),
            ),
            0,
        ),
        (told(("promise_visit", VISIT), ("ussd_case_with_officer", "with an officer")), 1),
        (told(("promise_visit", VISIT), ("ussd_case_promised_visit", VISIT)), 0),
        (told(("promise_visit", VISIT), ("ussd_case_promised_visit", "by 07/11/2026")), 1),
        (told(("promise_visit", VISIT), ("promise_visit", "by 07/11/2026")), 0),
        (
            told(
                ("promise_visit", VISIT),
                ("ussd_case_with_officer", "with an officer"),
                every=timedelta(days=6),
            ),
            0,
        ),
        (told(("officer_closing", "bury"), ("case_waiting", "we wait for a photo")), 1),
        (told(("officer_closing", "bury"), ("ussd_case_officer_said", "bury")), 0),
        (
            told(
                ("no_officer", "none"),
                ("optout_confirm", "STOP confirmed"),
                ("ussd_case_with_officer", "with an officer"),
            ),
            0,
        ),
    ],
)
def test_a_contradiction_is_found(told_: list[Told], wrong: int) -> None:
    assert len(contradictions(told_)) == wrong


def test_a_small_week_ends_well(settings: Settings) -> None:
    unbounded = {name.removeprefix("LEAFLINE_").lower(): 0 for name in UNBOUNDED}
    more = {"operator_phone": OPERATOR, **unbounded}
    context = Context.open(settings.model_copy(update=more))
    try:
        dice = random.Random(3)
        play = Play(context, dice, cast(context.store, dice, 5, 3, 1, days=3))
        hours = play.play()
        assert play.faults == []
        assert hours > 3 * 24
        assert len(transcript(play)) > 2
        assert figures(play, hours)[0].startswith("| of one run")
    finally:
        context.close()
