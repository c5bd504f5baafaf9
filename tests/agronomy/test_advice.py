"""Advice by stage and extent: the table row by row, and what no text may say too early."""

from __future__ import annotations

import itertools

import pytest

from gateway import agronomy
from gateway.agronomy import advice
from gateway.agronomy.advice import FACTS, RULES, Advice
from gateway.agronomy.table import TOLD
from gateway.cases.triage import Facts, Finding, triage
from gateway.dialogue import po
from gateway.settings import ROOT


def _told(words: str) -> dict[str, str]:
    values = {value: name for name in ("stage", "plants") for value in TOLD[name]}
    told = {}
    for word in words.split():
        name, _, value = word.partition("=")
        told[values.get(word, name)] = value or word
    return told


ROWS = [
    ("healthy", "", "healthy", ""),
    ("healthy", "young most", "healthy", ""),
    ("healthy", "filling", "healthy_late", ""),
    ("healthy", "flowering sprayed=yes half", "healthy_late", ""),
    ("bean_spot", "filling pods=yes", "", "pods"),
    ("bean_spot", "young one seed=yes", "", "seed_crop"),
    ("maize_rust", "filling seed=yes", "", "seed_crop"),
    ("maize_blight", "seed=yes", "", "seed_crop"),
    ("cassava_mosaic", "young seed=yes", "", "seed_crop"),
    ("maize_rust", "young half", "", "half_plants"),
    ("maize_rust", "before_flowering most", "", "half_plants"),
    ("maize_blight", "flowering half", "", "half_plants"),
    ("cassava_mosaic", "half", "", "half_plants"),
    ("bean_spot", "flowering half", "", "half_plants"),
    ("maize_blight", "filling half sprayed=yes", "", "sprayed"),
    ("maize_rust", "filling few sprayed=yes", "sprayed", ""),
    ("bean_spot", "sprayed=yes", "sprayed", ""),
    ("maize_rust", "flowering few", "maize_rust_late", ""),
    ("maize_rust", "filling half", "maize_rust_late", ""),
    ("maize_blight", "flowering few", "maize_blight_cob", ""),
    ("maize_blight", "filling half", "maize_blight_late", ""),
    ("cassava_mosaic", "before_flowering few", "cassava_mosaic_old", ""),
    ("cassava_mosaic", "filling one", "cassava_mosaic_old", ""),
    ("bean_spot", "filling half", "", "half_plants"),
    ("bean_spot", "filling few", "bean_spot_pods", ""),
    # Nothing told, or what no row names: the plain text.
    ("maize_rust", "", "maize_rust", ""),
    ("maize_blight", "young few sprayed=no", "maize_blight", ""),
    ("cassava_mosaic", "young few", "cassava_mosaic", ""),
    ("bean_spot", "young half pods=no seed=no", "bean_spot", ""),
    ("unheard_of", "filling", "unheard_of", ""),
]


@pytest.mark.parametrize(("label", "told", "text", "person"), ROWS)
def test_a_row(label: str, told: str, text: str, person: str) -> None:
    assert advice.advice(label, _told(told)) == Advice(text, person)


def test_every_rule_decides_something_above() -> None:
    decided = set()
    for label, told, _, _ in ROWS:
        fits = [rule for rule in RULES if rule.fits(label, _told(told))]
        decided |= set(fits[:1])
    assert [rule for rule in RULES if rule not in decided] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.label} {rule.text}{rule.person}")
def test_a_rule_names_what_may_be_told_and_has_a_source(rule: advice.Rule) -> None:
    assert bool(rule.text) != bool(rule.person)
    assert rule.source
    assert rule.label in ("", *agronomy.LABELS)
    for name in FACTS:
        assert set(getattr(rule, name)) <= set(TOLD[name])


def test_triage_sends_what_the_table_says() -> None:
    told = itertools.product(agronomy.LABELS, TOLD["stage"], TOLD["plants"], ("yes", "no", None))
    for label, stage, plants, sprayed in told:
        facts = Facts(agronomy.CROP_OF[label], 1, stage, plants, sprayed=sprayed)
        decision = triage(Finding("advice", label), facts)
        found = advice.advice(label, facts.told())
        if decision.action == "advise":
            assert decision.message == f"diag_{found.text}"
            assert not found.person
        else:
            assert agronomy.person_needed(facts.crop, facts.told(), label) == decision.reason


EARLY_COB = {"en": ("cob",), "fr": ("\u00e9pi",), "sw": ("gunzi",), "rw": ("umutwe",)}


@pytest.mark.parametrize("language", ["en", "fr", "rw", "sw"])
def test_no_text_speaks_of_a_cob_before_there_is_one(language: str) -> None:
    texts = po.read(ROOT / "templates" / "messages" / f"{language}.po").texts
    for label, stage in itertools.product(("maize_rust", "maize_blight"), advice.EARLY):
        text = advice.text_of(label, {"stage": stage})
        for key in (f"diag_{text}", f"ussd_{text}", f"ussd_about_{label}", f"note_{label}"):
            assert not any(word in texts[key] for word in EARLY_COB[language]), (key, texts[key])
