"""The rules between the model's numbers and what happens to a farmer's photo."""

import json
from dataclasses import replace

import pytest

from inference.labels import LABELS
from inference.verdict import (
    Thresholds,
    Verdict,
    combine,
    decide,
    reference_json,
    unreadable,
)

LINES = Thresholds(confidence=0.6, advice_unknown=0.2, reject_unknown=0.7, no_leaf_fraction=0.1)


def judged(
    best: str = "maize_rust",
    confidence: float = 0.9,
    unknown: float = 0.05,
    plant: float = 0.6,
    quality: tuple[str, ...] = (),
) -> Verdict:
    rest = (1 - confidence) / 4
    return Verdict(
        label=best,
        confidence=confidence,
        probabilities=tuple(confidence if name == best else rest for name in LABELS),
        verdict=decide("bean_spot", confidence, unknown, plant, LINES),
        unknown_score=unknown,
        plant_fraction=plant,
        quality=quality,
        rationale="attention centre",
        latency_ms=2.0,
        model="m",
    )


@pytest.mark.parametrize(
    ("confidence", "unknown", "plant", "verdict"),
    [
        (0.9, 0.05, 0.6, "advice"),
        (0.6, 0.19, 0.6, "advice"),
        (0.59, 0.05, 0.6, "second_photo"),
        (0.99, 0.2, 0.6, "second_photo"),
        (0.99, 0.69, 0.01, "no_leaf"),
        (0.99, 0.7, 0.6, "unknown"),
        (0.3, 0.95, 0.1, "unknown"),
        (0.99, 0.7, 0.09, "no_leaf"),
        (0.99, 0.05, 0.01, "advice"),
    ],
)
def test_decide(confidence: float, unknown: float, plant: float, verdict: str) -> None:
    assert decide("bean_spot", confidence, unknown, plant, LINES) == verdict


def test_a_label_may_have_a_line_of_its_own() -> None:
    lines = replace(LINES, by_label={"cassava_mosaic": 0.01})
    assert decide("cassava_mosaic", 0.99, 0.05, 0.6, lines) == "second_photo"
    assert decide("bean_spot", 0.99, 0.05, 0.6, lines) == "advice"


def test_a_verdict_survives_json_exactly() -> None:
    for verdict in (judged(quality=("dark",)), unreadable("truncated", "Cut off.", "m", 0.1)):
        assert Verdict.from_detail(json.loads(json.dumps(verdict.to_detail()))) == verdict


@pytest.mark.parametrize("detail", [{}, {"label": 1}, {"quality": 3}, {"labels": None}])
def test_what_is_no_verdict_is_refused(detail: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no stored verdict"):
        Verdict.from_detail(detail)


def test_two_photos_that_agree_are_surer_than_their_mean() -> None:
    both = combine([judged(confidence=0.7), judged(confidence=0.8)], LINES)
    assert both.label == "maize_rust"
    assert both.confidence > 0.7
    assert both.photos == 2
    assert sum(both.probabilities) == pytest.approx(1)


def test_two_unsure_photos_of_one_thing_can_make_advice() -> None:
    first = judged(confidence=0.58)
    assert first.verdict == "second_photo"
    assert combine([first, judged(confidence=0.75)], LINES).verdict == "advice"


def test_photos_that_disagree_do_not_make_advice() -> None:
    both = combine([judged("maize_rust"), judged("maize_blight")], LINES)
    assert both.confidence < 0.6
    assert both.verdict == "second_photo"


def test_the_order_of_photos_does_not_matter() -> None:
    photos = [judged("maize_rust", 0.7), judged("maize_blight", 0.8, 0.3), judged("healthy", 0.4)]
    one, other = combine(photos, LINES), combine(photos[::-1], LINES)
    assert one.label == other.label
    assert one.confidence == pytest.approx(other.confidence)
    assert one.verdict == other.verdict


def test_an_unreadable_photo_counts_for_nothing() -> None:
    broken = unreadable("truncated", "Cut off.", "m")
    both = combine([broken, judged()], LINES)
    assert (both.label, both.verdict, both.photos) == ("maize_rust", "advice", 2)
    assert combine([broken, broken], LINES).verdict == "unreadable"


def test_only_a_defect_of_every_photo_is_named() -> None:
    both = combine([judged(quality=("blurred", "dark")), judged(quality=("dark",))], LINES)
    assert both.quality == ("dark",)


def test_no_photo_no_verdict() -> None:
    with pytest.raises(ValueError, match="without photos"):
        combine([], LINES)


def test_what_the_photos_are_nearest_to_is_said_where_they_agree() -> None:
    rust = replace(judged(), nearest="bean_rust")
    assert combine([rust, rust], LINES).nearest == "bean_rust"
    assert combine([rust, judged()], LINES).nearest is None
    assert Verdict.from_detail(rust.to_detail()).nearest == "bean_rust"
    older = {name: value for name, value in rust.to_detail().items() if name != "nearest"}
    assert Verdict.from_detail(older).nearest is None


def test_only_who_asks_for_all_labels_reads_the_nearest() -> None:
    rust = replace(judged(), nearest="bean_rust")
    assert "nearest" not in reference_json(rust)
    assert reference_json(rust, all_labels=True)["nearest"] == "bean_rust"


def test_reference_shape() -> None:
    sure = reference_json(judged())
    assert {"label", "confidence", "top3", "latency_ms", "rationale"} <= set(sure)
    assert sure["top3"][0]["label"] == "maize_rust"
    assert len(sure["top3"]) == 3
    assert "escalation" not in sure
    assert reference_json(judged(confidence=0.59))["escalation"] == "second_photo_different_angle"
    broken = reference_json(unreadable("empty", "The file is empty.", "m"))
    assert (broken["label"], broken["problem"], broken["top3"]) == (None, "empty", [])
    assert "escalation" not in broken
