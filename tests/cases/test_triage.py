from __future__ import annotations

import pytest

from gateway import agronomy
from gateway.agronomy import ADVISED, CROP_OF
from gateway.cases.triage import Decision, Facts, Finding, triage


def _escalate(reason: str) -> Decision:
    return Decision("escalate", "escalation_farmer", reason)


@pytest.mark.parametrize(
    ("finding", "facts", "decision"),
    [
        pytest.param(Finding("advice", "bean_spot"), Facts("beans", 1),
                     Decision("advise", "diag_bean_spot", "confident"), id="sure and known"),
        pytest.param(Finding("advice", "bean_spot"), Facts(None, 1),
                     Decision("advise", "diag_bean_spot", "confident"), id="crop not told"),
        pytest.param(Finding("second_photo", "bean_spot"), Facts("beans", 1),
                     Decision("ask_photo", "low_confidence", "unsure"), id="not sure at first"),
        pytest.param(Finding("second_photo", "bean_spot"), Facts("beans", 2),
                     _escalate("unsure_twice"), id="still not sure"),
        pytest.param(Finding("advice", "bean_spot", 0.9, disagree=True), Facts("beans", 2),
                     _escalate("photos_disagree"), id="two photos, two confident answers"),
        pytest.param(Finding("advice", "bean_spot", 0.9, poor=True), Facts("beans", 1),
                     Decision("ask_photo", "photo_unusable", "poor_photo"), id="sure of a blur"),
        pytest.param(Finding("second_photo", "bean_spot", 0.5, poor=True), Facts("beans", 1),
                     Decision("ask_photo", "photo_unusable", "poor_photo"), id="unsure of a blur"),
        pytest.param(Finding("advice", "bean_spot", 0.9, poor=True), Facts("beans", 2),
                     _escalate("poor_photo_twice"), id="a blur again"),
        pytest.param(Finding("unknown", "bean_spot", 0.9, poor=True), Facts("beans", 1),
                     _escalate("unknown"), id="an unknown leaf, blurred"),
        pytest.param(Finding("no_leaf"), Facts("beans", 1),
                     Decision("ask_photo", "no_leaf", "no_leaf"), id="no leaf is told so"),
        pytest.param(Finding("no_leaf"), Facts("beans", 2), _escalate("no_leaf_twice"),
                     id="no leaf again"),
        pytest.param(Finding("unknown", "bean_spot"), Facts("beans", 1), _escalate("unknown"),
                     id="unknown leaf"),
        pytest.param(Finding("unreadable"), Facts("beans", 1), _escalate("unreadable"),
                     id="unreadable photo"),
        pytest.param(Finding("advice", "bean_spot"), Facts("maize", 1), _escalate("crop_mismatch"),
                     id="a bean disease on maize"),
        pytest.param(Finding("advice", "healthy"), Facts("cassava", 1), _escalate("crop_mismatch"),
                     id="healthy is known for maize only"),
        pytest.param(Finding("advice", "maize_rust"), Facts("maize", 1, stage="before_flowering"),
                     _escalate("before_flowering"), id="rust before flowering"),
        pytest.param(Finding("advice", "maize_rust"), Facts("maize", 1, stage="filling"),
                     Decision("advise", "diag_maize_rust_late", "confident"), id="rust late"),
        pytest.param(Finding("advice", "maize_rust"), Facts("maize", 1, sprayed="yes"),
                     Decision("advise", "diag_sprayed", "confident"), id="sprayed already"),
        pytest.param(Finding("advice", "bean_spot"), Facts("beans", 1, pods="yes"),
                     _escalate("pods"), id="spots on the pods"),
        pytest.param(Finding("advice", "healthy"), Facts("maize", 1, stage="before_flowering"),
                     Decision("advise", "diag_healthy", "confident"), id="healthy at any stage"),
        pytest.param(Finding("advice", "cassava_mosaic"), Facts("cassava", 1, plants="most"),
                     _escalate("most_plants"), id="most plants are sick"),
        pytest.param(Finding("advice", "wheat_rust"), Facts("maize", 1),
                     _escalate("machine_failed"), id="a label we do not know"),
        pytest.param(Finding("nonsense"), Facts("maize", 1), _escalate("machine_failed"),
                     id="a verdict we do not know"),
    ],
)  # fmt: skip
def test_triage(finding: Finding, facts: Facts, decision: Decision) -> None:
    assert triage(finding, facts) == decision


def test_what_the_model_only_tells_apart_is_never_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agronomy, "ADVISED", ADVISED - {"bean_spot"})
    assert triage(Finding("advice", "bean_spot"), Facts("beans", 1)) == _escalate("not_advised")


@pytest.mark.parametrize("label", sorted(ADVISED))
def test_every_label_has_its_advice(label: str) -> None:
    decision = triage(Finding("advice", label), Facts(CROP_OF[label], 1))
    assert decision.message == f"diag_{label}"
