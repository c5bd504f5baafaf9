"""The recipes for newcomers name files, functions and commands that exist."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import polib
import pytest

from gateway import agronomy
from gateway.cli import ROOMS, main
from inference.card import Card
from inference.labels import BESIDE, LABELS

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
QUOTED = re.compile(r"`([^`\n]+)`")
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b(?!\.md)")
PATH = re.compile(
    r"(gateway|inference|simulator|training|templates|tests|benchmarks|rig|docs)/[\w/.-]*\w(\.\w+)?/?"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_in_the_documentation_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    named = {
        match
        for match in QUOTED.findall(text)
        if PATH.fullmatch(match) and not PLACEHOLDER.search(match)
    }
    linked = set(re.findall(r"\]\(([\w./-]+\.(?:md|png))\)", text))
    missing = [path for path in named if not (ROOT / path).exists()]
    missing += [path for path in linked if not (page.parent / path).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_in_the_documentation_exists(page: Path) -> None:
    commands = set(re.findall(r"`leafline ([a-z]+)", page.read_text("utf-8")))
    assert commands - set(main.list_commands(click.Context(main))) == set()


@pytest.mark.parametrize("command", ROOMS)
def test_every_command_is_where_the_table_says(command: str) -> None:
    assert hasattr(importlib.import_module(ROOMS[command]), command)


def test_gateway_model_and_training_speak_of_the_same_labels() -> None:
    assert Card.read().labels == LABELS
    agronomy.check(LABELS)
    assert set(Card.read().beside) == set(BESIDE) == agronomy.BESIDE


def _texts(language: str) -> set[str]:
    po = polib.pofile(str(ROOT / "templates" / "messages" / f"{language}.po"))
    return {entry.msgid for entry in po if entry.msgstr}


@pytest.mark.parametrize("language", ["en", "sw", "rw", "fr"])
def test_every_label_and_crop_has_the_texts_that_the_recipe_asks_for(language: str) -> None:
    wanted = {key for _, keys in agronomy.texts() for key in keys}
    assert wanted - _texts(language) == set()
