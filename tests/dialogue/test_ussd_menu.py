"""The menu as a whole: proved by its own check, frozen in its numbers, drawn as a graph."""

from __future__ import annotations

import itertools
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.agronomy import LABELS
from gateway.cases import life
from gateway.commands import dialogue as commands
from gateway.dialogue import gsm7
from gateway.dialogue.catalogue import Catalogue
from gateway.dialogue.ussd import lint, screens
from gateway.dialogue.ussd.engine import Menu, Option, Screen, State, Visit
from gateway.dialogue.ussd.screens import entry

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"

# Farmers know paths by heart (*384*123*2*1#), and posters print them. A number may be added to this
# table; one that is in it never changes its meaning.
MAIN = {
    "1": "results",
    "2": "advice",
    "3": "report",
    "4": "officer",
    "5": "kiosk",
    "6": "language",
    "7": "privacy",
    "8": "help",
    "9": "desk",
}
FROZEN = {
    "language_first": {"1": "rw", "2": "sw", "3": "en", "4": "fr"},
    "language": {"1": "rw", "2": "sw", "3": "en", "4": "fr"},
    "consent": {"1": "yes", "2": "no"},
    "main": MAIN,
    "news": MAIN,
    "resume": {"9": "resume"},
    "results": {"9": "by_code"},
    "case": {"1": "next_season", "2": "officer", "3": "wrong", "4": "outcome", "5": "ask_later"},
    "prevention": {"1": "send_sms"},
    "outcome": {"1": "better", "2": "same", "3": "worse"},
    "advice_crop": {"1": "maize", "2": "beans", "3": "cassava"},
    "advice_maize": {
        "1": "maize_rust",
        "2": "maize_blight",
        "3": "healthy",
        "4": "armyworm",
        "5": "lethal_necrosis",
        "6": "nitrogen_lack",
    },
    "advice_beans": {"1": "bean_spot"},
    "advice_cassava": {"1": "cassava_mosaic", "2": "brown_streak"},
    "advice": {"1": "next_season", "2": "officer"},
    "advice_prevention": {"1": "send_sms", "2": "officer"},
    "report_crop": {"1": "maize", "2": "beans", "3": "cassava", "4": "other"},
    "report_stage": {"1": "young", "2": "before_flowering", "3": "flowering", "4": "filling"},
    "report_plants": {"1": "one", "2": "few", "3": "half", "4": "most"},
    "report_sprayed": {"1": "no", "2": "yes"},
    "report_look_maize": {
        "1": "rusty_dust",
        "2": "long_stripes",
        "3": "pale_leaves",
        "4": "funnel",
        "9": "none",
    },
    "report_look_beans": {
        "1": "straight_spots",
        "2": "rusty_dust",
        "3": "pod_sores",
        "4": "wilting",
        "9": "none",
    },
    "report_look_cassava": {
        "1": "twisted",
        "2": "old_yellow",
        "3": "stem_streaks",
        "4": "dots",
        "5": "wool",
        "9": "none",
    },
    "report_sign_maize_rusty_dust": {"1": "both_sides", "2": "top_only"},
    "report_sign_maize_long_stripes": {"1": "cigar", "2": "ruler"},
    "report_sign_maize_pale_leaves": {"1": "pale_lines", "2": "mottled", "3": "old_tips"},
    "report_sign_beans_straight_spots": {
        "1": "grey_mould",
        "2": "red_veins",
        "3": "nothing_below",
    },
    "report_sign_cassava_twisted": {"1": "streaks_too", "2": "leaves_only"},
    "report_sign_cassava_old_yellow": {"1": "streaks_too", "2": "leaves_only"},
    "report_kiosk": {"1": "send_sms", "2": "officer", "6": "what_to_do"},
    "officer_reason": {"1": "spraying", "2": "spreading", "3": "no_answer", "4": "other"},
    "kiosks": {"90": "place"},
    "kiosk": {"1": "send_sms"},
    "privacy": {
        "1": "stop",
        "2": "start",
        "3": "withdraw",
        "4": "hold",
        "5": "delete",
        "6": "training",
    },
    "training": {"1": "yes", "2": "no"},
    "withdraw_confirm": {"1": "yes", "2": "no"},
    "hold": {"1": "delete"},
    "delete_confirm": {"1": "yes", "2": "no"},
    "officer_pin": {"1": "as_farmer"},
    "desk": {"1": "open_cases", "2": "off_duty", "3": "on_duty", "4": "as_farmer"},
    "desk_case": {"1": "accept", "2": "answer", "3": "hand_over", "4": "ask_photo"},
    "desk_answer": {
        "1": "bean_spot",
        "2": "cassava_mosaic",
        "3": "healthy",
        "4": "maize_blight",
        "5": "maize_rust",
        "6": "visit",
        "7": "call",
        "9": "something_else",
    },
    "desk_safety": {"1": "safety", "2": "without"},
}
PREFIXES = (
    "option_look_",
    "option_sign_",
    "option_language_",
    "option_reason_",
    "option_stage_",
    "option_plants_",
    "option_note_",
)


@pytest.fixture(scope="module")
def menu() -> Menu:
    values = {"ussd": "*801*1234#", "service": "YourService", "months": "12"}
    return screens.menu(Catalogue.load(TEMPLATES, **values))


def meaning(label: str) -> str:
    for prefix in (*PREFIXES, "option_", "crop_", "disease_"):
        if label.startswith(prefix):
            return label.removeprefix(prefix)
    return label


def test_the_menu_has_no_fault(menu: Menu) -> None:
    assert lint.check(menu) == []


def test_option_numbers_never_change(menu: Menu) -> None:
    found = {
        screen.name: {option.number: meaning(option.label) for option in screen.options}
        for screen in menu.screens.values()
        if screen.options
    }
    assert found == FROZEN


def with_screen(menu: Menu, *screens_: Screen) -> Menu:
    changed = {**menu.screens, **{screen.name: screen for screen in screens_}}
    return Menu(list(changed.values()), menu.texts, first=entry.first, home=entry.home)


@pytest.mark.parametrize(
    ("screen", "fault"),
    [
        (Screen("help", "ussd_help", (Option("1", "option_yes", "nowhere"),)), "does not exist"),
        (Screen("help", "ussd_help", (Option("0", "option_yes", "main"),)), "a standing key"),
        (Screen("help", "ussd_help", (Option("98", "option_yes", "main"),)), "a standing key"),
        (
            Screen("help", "ussd_help", (Option("1", "option_yes", "main"),) * 2),
            "number 1 is given twice",
        ),
        (Screen("help", "ussd_nothing"), "help: ussd_nothing is in no PO file"),
        (
            Screen("help", "ussd_help", (Option("1", "option_x", "main"),)),
            "option_x is in no PO file",
        ),
        (Screen("lonely", "ussd_help"), "lonely: no answer on any screen leads here"),
        (Screen("help", "ussd_help", home=True), "a dead end"),
        (
            Screen("stopped", "ussd_stopped", (Option("1", "option_yes", "main"),), end=True),
            "ends the session, yet leads on",
        ),
        (
            Screen("stopped", lambda visit: visit.say("ussd_help") * 2, end=True),
            "septets, limit 156",
        ),
        (Screen("help", lambda visit: visit.say("ussd_help") * 9), "at most 4 are read"),
        (Screen("help", lambda _: "ê"), "not in the GSM alphabet"),
        (Screen("help", lambda visit: visit.say("ussd_code", x=1) * 4, whole=True), "read as one"),
    ],
)
def test_the_check_finds(menu: Menu, screen: Screen, fault: str) -> None:
    faults = lint.check(with_screen(menu, screen))
    assert any(fault in line for line in faults), faults


def test_the_check_names_the_language(menu: Menu) -> None:
    long = replace(menu.screens["stopped"], text=lambda visit: "x" * 157)
    faults = lint.check(with_screen(menu, long))
    assert {"stopped [sw]: 157 septets, limit 156", "stopped [rw]: 157 septets, limit 156"} <= set(
        faults
    )


def test_commands_check_and_graph() -> None:
    result = CliRunner().invoke(commands.ussd, ["check", str(TEMPLATES)])
    assert result.exit_code == 0, result.output
    assert "all reachable, all fit" in result.output
    drawn = CliRunner().invoke(commands.ussd, ["graph", str(TEMPLATES)]).output
    assert drawn.startswith("flowchart TD")
    assert "main -->|2| advice_crop" in drawn
    assert "results -->|1..n| case" in drawn
    assert "officer_reason -.-> consent" in drawn


def test_hops_to_each_goal_are_printed_and_bounded(menu: Menu) -> None:
    said = CliRunner().invoke(commands.ussd, ["check", "--hops", str(TEMPLATES)]).output
    found = dict(re.findall(r"^(\w[^\d]+\w) +(\d+) of at most", said, re.MULTILINE))
    assert found == {
        "result, new or the only one": "1",
        "result, from the list": "2",
        "officer": "2",
        "report with triage": "6",
    }
    once_more = Screen("report_again", "ussd_help", menu.screens["report_sprayed"].options)
    asked = replace(
        menu.screens["report_sprayed"], options=(Option("1", "option_yes", "report_again"),)
    )
    faults = lint.check(with_screen(menu, once_more, asked))
    assert "report with triage: 7 hops, at most 6 are gone" in faults


def test_the_check_names_a_text_that_a_language_lacks(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    path = tmp_path / "templates" / "messages" / "sw.po"
    text = path.read_text("utf-8")
    start = text.index('#, fuzzy\nmsgid "ussd_privacy"')
    path.write_text(text[:start] + text[text.index("#, fuzzy", start + 8) :], "utf-8")
    result = CliRunner().invoke(commands.ussd, ["check", str(tmp_path / "templates")])
    assert result.exit_code == 1
    assert "ussd_privacy is missing in sw.po" in result.output


@pytest.mark.parametrize("language", ["en", "fr", "rw", "sw"])
def test_every_answer_on_every_screen_leads_where_the_graph_says(menu: Menu, language: str) -> None:
    values = menu.texts.longest_values()
    walked: set[tuple[str, str]] = set()
    for state, label in itertools.product(life.NEXT, LABELS):
        world = lint.Widest(values, state, label, consented=True)
        waiting = [menu.start(world, language)]
        waiting += [State(name, language) for name, s in menu.screens.items() if s.home]
        waiting.append(State("area_district", language, data={"wanted": "officer_reason"}))
        mild = {"crop": "maize", "stage": "young", "plants": "few"}
        waiting.append(State("report_sprayed", language, data=mild | {"look": "funnel"}))
        for crop in ("maize", "beans", "cassava"):
            here = State(f"report_look_{crop}", language, data=mild | {"crop": crop})
            waiting.append(here)
        done = set()
        while waiting:
            here = replace(waiting.pop(), language=language)
            screen = menu.screens[here.screen]
            if here.screen in done or screen.end or here.screen == "resume":
                continue
            done.add(here.screen)
            visit = Visit(here, world, menu.texts)
            typed = [option.number for option in screen.options if option.offered(visit)]
            typed += ["1"] if here.items else []
            typed += screen.prompt.examples if screen.prompt else ()
            for answer in typed:
                step = menu.step(here, answer, world)
                assert step.fits, (here.screen, answer)
                assert step.state.screen in screen.targets() | set(
                    menu.screens[step.state.screen].guards
                ), (here.screen, answer, step.state.screen)
                text, _ = menu.show(step.state, world)
                assert gsm7.septets(text) <= 156
                walked.add((here.screen, answer))
                waiting.append(step.state)
    declared = {
        (screen.name, option.number)
        for screen in menu.screens.values()
        for option in screen.options
        if screen.name != "resume"
    }
    # A farmer who is opted out, and an officer off duty, are walked in their own tests.
    assert declared - walked <= {("privacy", "2"), ("desk", "3")}
