"""The shipped model: is it whole, does it answer as it should, does nothing make it fall over."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inference.card import Card
from inference.drawn import THINGS, draw_leaf, draw_thing
from inference.labels import LABELS
from inference.model import FOLDER, Model, ModelError, known_square, read_card
from inference.verdict import Verdict, combine, reference_json


def picture(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    return out.getvalue()


def copy_of_the_model(folder: Path) -> Path:
    return Path(shutil.copytree(FOLDER, folder / "model"))


def test_it_gives_the_known_answer(model: Model) -> None:
    model.self_check()


@pytest.mark.parametrize("label", LABELS)
def test_a_drawn_leaf_gets_its_own_label(model: Model, label: str) -> None:
    found = [model.judge(draw_leaf(label, seed)) for seed in range(6)]
    assert [v.label for v in found].count(label) >= 5
    assert sum(v.verdict == "advice" for v in found) >= 3


@pytest.mark.parametrize("kind", THINGS)
def test_a_drawn_thing_never_gets_advice(model: Model, kind: str) -> None:
    found = [model.judge(draw_thing(seed, kind)).verdict for seed in range(6)]
    assert "advice" not in found
    assert found.count("unknown") + found.count("no_leaf") >= 4


@pytest.mark.parametrize(("level", "defect"), [(0, "dark"), (255, "overexposed"), (128, "blurred")])
def test_one_flat_colour_is_no_leaf_and_says_why(model: Model, level: int, defect: str) -> None:
    verdict = model.judge(picture(np.full((300, 400, 3), level, np.uint8)))
    assert verdict.verdict == "no_leaf"
    assert defect in verdict.quality
    assert defect in verdict.rationale


def screenshot(paper: str, ink: str, bubble: str | None, seed: int) -> bytes:
    """A phone's screen full of lines of text, drawn by another hand than training's things."""
    rng = np.random.default_rng(seed)
    screen = Image.new("RGB", (720, 1280), paper)
    pen, y = ImageDraw.Draw(screen), 40
    while y < 1240:
        width = int(rng.integers(200, 640))
        left = int(rng.choice([20, 700 - width]))
        if bubble:
            pen.rounded_rectangle((left, y, left + width, y + 60), 12, fill=bubble)
        words = "".join(map(chr, rng.integers(97, 123, width // 12)))
        pen.text((left + 10, y + 8), words, fill=ink, font_size=int(rng.integers(14, 30)))
        y += int(rng.integers(40, 90))
    return picture(np.asarray(screen))


@pytest.mark.parametrize(
    ("paper", "ink", "bubble"),
    [("#e5ddd5", "#141414", "#dcf8c6"), ("#0b141a", "#e6e6e6", "#005c4b"),
     ("black", "#00c800", None), ("white", "black", None), ("#c8e6aa", "#3c5a28", None)],
)  # fmt: skip
def test_a_screenshot_never_gets_advice(
    model: Model, paper: str, ink: str, bubble: str | None
) -> None:
    found = {model.judge(screenshot(paper, ink, bubble, seed)).verdict for seed in range(3)}
    assert "advice" not in found


def test_a_leaf_far_away_is_named_so(model: Model) -> None:
    leaf = np.zeros((400, 400, 3), np.uint8)
    leaf[180:240, 180:240] = (80, 150, 50)
    assert "leaf_too_small" in model.judge(picture(leaf)).quality


def test_a_bad_file_is_a_verdict_not_an_error(model: Model) -> None:
    verdict = model.judge(b"%PDF-1.7 not a leaf")
    assert (verdict.verdict, verdict.problem, verdict.label) == (
        "unreadable",
        "not_a_picture",
        None,
    )


def test_a_verdict_is_complete_and_can_be_stored(model: Model) -> None:
    verdict = model.judge(draw_leaf("maize_rust"))
    assert sum(verdict.probabilities) == pytest.approx(1)
    assert verdict.confidence == max(verdict.probabilities)
    assert [p for _, p in verdict.top3] == sorted(verdict.probabilities, reverse=True)[:3]
    assert verdict.model == model.version
    assert verdict.latency_ms > 0
    assert verdict.rationale.startswith("attention ")
    assert Verdict.from_detail(json.loads(json.dumps(verdict.to_detail()))) == verdict
    json.dumps(reference_json(verdict))


def test_a_case_is_judged_as_its_stored_verdicts(model: Model) -> None:
    said = [model.judge(draw_leaf("maize_rust", seed)) for seed in (1, 2)]
    stored = [Verdict.from_detail(verdict.to_detail()) for verdict in said]
    assert combine(stored, model.thresholds) == combine(said, model.thresholds)


def test_the_same_photo_gives_the_same_numbers(model: Model) -> None:
    first, second = (model.judge(draw_leaf("bean_spot", 3)) for _ in range(2))
    assert first.probabilities == second.probabilities


def missing_graph(folder: Path) -> None:
    (folder / "leaf.onnx").unlink()


def missing_card(folder: Path) -> None:
    (folder / "leaf.json").unlink()


def cut_off_graph(folder: Path) -> None:
    graph = folder / "leaf.onnx"
    graph.write_bytes(graph.read_bytes()[:-1000])


def broken_card(folder: Path) -> None:
    (folder / "leaf.json").write_text("{")


def other_labels(folder: Path) -> None:
    card = json.loads((folder / "leaf.json").read_text())
    (folder / "leaf.json").write_text(json.dumps({**card, "labels": ["rust"]}))


def one_name_for_two_outputs(folder: Path) -> None:
    card = json.loads((folder / "leaf.json").read_text())
    beside = [card["labels"][0], *card["beside"][1:]]
    (folder / "leaf.json").write_text(json.dumps({**card, "beside": beside}))


def card_without_thresholds(folder: Path) -> None:
    card = json.loads((folder / "leaf.json").read_text())
    del card["thresholds"]
    (folder / "leaf.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (missing_graph, "missing"),
        (missing_card, "missing"),
        (cut_off_graph, "checksum"),
        (broken_card, "damaged"),
        (other_labels, "classes"),
        (one_name_for_two_outputs, "classes"),
        (card_without_thresholds, "thresholds"),
    ],
)
def test_a_damaged_model_says_so_in_one_sentence(tmp_path: Path, damage, words: str) -> None:
    folder = copy_of_the_model(tmp_path)
    damage(folder)
    with pytest.raises(ModelError, match=words) as refusal:
        Model.load(folder)
    assert "\n" not in str(refusal.value)


def test_a_wrong_answer_fails_the_self_check(tmp_path: Path) -> None:
    folder = copy_of_the_model(tmp_path)
    card = json.loads((folder / "leaf.json").read_text())
    card["self_check"][0] += 2
    (folder / "leaf.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="known picture"):
        Model.load(folder).self_check()


def test_the_unknown_score_is_of_all_outputs_behind_the_labels(model: Model) -> None:
    logits = np.full(len(model.card["outputs"]), -20, np.float32)
    logits[2], logits[7] = 1, 1
    probabilities, unknown = model.calibrated(logits)
    assert probabilities[2] == pytest.approx(1)
    assert unknown == pytest.approx(0.5)


def test_the_known_picture_is_plain_arithmetic() -> None:
    square = known_square(192)
    assert square.shape == (192, 192, 4)
    assert square[3, 5].tolist() == [13, 255 - (5 ^ 3), 0, 0]


def test_the_shipped_card_carries_its_figures() -> None:
    card = read_card()
    assert (FOLDER / "leaf.onnx").stat().st_size == card["figures"]["bytes"] <= 1_850_000
    assert card["figures"]["float_layers"] == 0
    assert Card.read().thresholds.confidence == 0.6


def test_checking_a_picture_needs_no_runtime() -> None:
    program = (
        "import sys, inference.picture, inference.verdict; print('onnxruntime' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
