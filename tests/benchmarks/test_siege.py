"""A siege says what failed; an attacker sees it when the door at which he dials breaks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from benchmarks.siege import Outcome
from rig.browser import served
from rig.storm.attacks import PAID, STRANGER, Attackers
from rig.storm.clients import Ledger

CALM = Outcome(120, Ledger(hop_seconds=[0.1] * 9), {}, [], [], Counter(), 1, [], 0.1, 0.1)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        ({}, []),
        ({"attacks": {"11 MM7": Counter({"200": 9, "503": 2, "400": 1})}}, []),
        ({"attacks": {"11 MM7": Counter({"500": 1})}}, ["broken"]),
        ({"attacks": {"4 a stranger's phone": Counter({"502": 1})}}, ["broken"]),
        ({"spent": Counter(stranger=20, kiosk=400, all=5000)}, []),
        ({"spent": Counter(looper=21)}, ["overspent"]),
        ({"spent": Counter(abroad=1)}, ["overspent"]),
        ({"ledger": Ledger(hop_seconds=[2.0] * 9)}, ["slow"]),
        ({"ledger": Ledger(hop_seconds=[2.0] * 9), "seconds": 6}, []),
        ({"ledger": Ledger(unanswered=2)}, ["given up"]),
        ({"ledger": Ledger(wrong_screens=["CON "])}, ["wrong screens"]),
        ({"anew": ["17"], "lost": ["a case"]}, ["lost", "started anew"]),
    ],
)
def test_what_failed_is_named(change: dict[str, Any], kinds: list[str]) -> None:
    outcome = replace(CALM, **change)
    assert list(outcome.problems) == kinds
    assert dict(outcome.rows())["what failed"] == (", ".join(kinds) or "nothing")


def test_a_broken_ussd_door_is_seen() -> None:
    app = Flask(__name__)
    app.add_url_rule("/ussd", view_func=lambda: ("<!doctype html>", 500), methods=["POST"])
    with served(app) as url:
        site: Any = SimpleNamespace(webhooks=url)
        attackers = Attackers(site, bombs=SimpleNamespace(), token="", drips=0, hands=1)  # type: ignore[arg-type]
        assert attackers._dialled(STRANGER, "s", PAID) == "500"
