"""Turn a trained run into `inference/model`: quantise, tune, measure, pass the gates, install."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import onnxruntime as ort

from inference.labels import LABELS
from inference.model import CARD, GRAPH, Model, known_square
from inference.picture import decode_square
from training.calibration import macro_f1
from training.data import CLASSES, Photo, select
from training.evaluate import Answers, Tuning, measure, open_graph, run, tune
from training.export import export_float, export_int8
from training.train import Recipe, load_student

CALIBRATION_PICTURES = 256

INTEGER_LAYERS = {"QLinearConv", "QGemm", "ConvInteger", "MatMulInteger", "QLinearMatMul"}
FLOAT_LAYERS = {"Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"}


@dataclass(frozen=True)
class Gate:
    """A figure that a new model must reach before it may replace the shipped one."""

    name: str
    value: float
    bound: float
    at_most: bool = False

    @property
    def passed(self) -> bool:
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def __str__(self) -> str:
        return (
            f"{'pass' if self.passed else 'FAIL'}  {self.name}: {self.value:.4g} "
            f"({'at most' if self.at_most else 'at least'} {self.bound:g})"
        )


def gates(figures: dict[str, Any]) -> list[Gate]:
    """The export gates, from the figures of one evaluation."""
    field = figures["field"]
    return [
        Gate("size of the model file, MB", figures["bytes"] / 1e6, 1.85, at_most=True),
        Gate("layers left in float", figures["float_layers"], 0, at_most=True),
        Gate("macro-F1 on leaves, clean", figures["macro_f1_clean"], 0.985),
        Gate("macro-F1 on leaves, field noise", figures["macro_f1_noisy"], 0.98),
        Gate("macro-F1 lost by INT8", figures["int8"]["f1_drop"], 0.005, at_most=True),
        Gate("same label as FP32", figures["int8"]["agreement"], 0.98),
        Gate("field, blight", field.get("maize_blight", float("nan")), 0.90),
        Gate("field, rust", field.get("maize_rust", float("nan")), 0.90),
        Gate("AUROC of unknowns", figures["auroc_all"], 0.95),
        Gate("strangers given advice", figures["others_advised"], 0.10, at_most=True),
        Gate("objects given advice", figures["objects_advised"], 0.02, at_most=True),
    ]


def layer_kinds(graph: Path) -> Counter[str]:
    """Operators of the graph as ONNX Runtime executes it, after all optimisation."""
    with tempfile.TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        options = ort.SessionOptions()
        options.optimized_model_filepath = str(optimised)
        options.log_severity_level = 3
        ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return Counter(node.op_type for node in onnx.load(optimised).graph.node)


@dataclass(frozen=True)
class Candidate:
    """A quantised, tuned and measured model that is not installed yet."""

    folder: Path
    card: dict[str, Any]
    said: dict[str, Answers]
    tuning: Tuning

    @property
    def gates(self) -> list[Gate]:
        return gates(self.card["figures"])


def quantise(run_folder: Path, photos: Sequence[Photo]) -> None:
    """Write `float.onnx` and `leaf.onnx` beside the trained weights."""
    recipe = read_recipe(run_folder)
    net = load_student(recipe, run_folder)
    learning = recipe.photos(list(photos))
    rng = np.random.default_rng(recipe.seed)
    chosen = rng.choice(len(learning), min(CALIBRATION_PICTURES, len(learning)), replace=False)
    pictures = (decode_square(learning[i].path.read_bytes(), recipe.side) for i in chosen)
    export_float(net, recipe.side, run_folder / "float.onnx")
    export_int8(net, recipe.side, run_folder / GRAPH, pictures, run_folder / "work")
    shutil.rmtree(run_folder / "work")


def evaluate(run_folder: Path, photos: Sequence[Photo]) -> Candidate:
    """Tune on validation, measure on test, and write the candidate's `leaf.json`."""
    recipe = read_recipe(run_folder)
    path = run_folder / GRAPH
    session = open_graph(path)
    tuning = tune(session, photos, recipe.side)
    figures, said = measure(session, photos, recipe.side, tuning)
    kinds = layer_kinds(path)
    figures["bytes"] = path.stat().st_size
    figures["float_layers"] = sum(kinds[k] for k in FLOAT_LAYERS)
    figures["integer_layers"] = sum(kinds[k] for k in INTEGER_LAYERS)
    figures["int8"] = _against_float(run_folder / "float.onnx", said, figures)
    figures["unknown_score_candidates"] = tuning.scores
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = {
        "version": f"{datetime.now(UTC):%Y-%m-%d}-{digest[:8]}",
        "sha256": digest,
        "labels": list(LABELS),
        "outputs": list(CLASSES),
        "side": recipe.side,
        "temperature": round(tuning.temperature, 4),
        "thresholds": {k: round(v, 4) for k, v in asdict(tuning.thresholds).items()},
        "self_check": run(session, [known_square(recipe.side)])[0].tolist(),
        "recipe": {**asdict(recipe), "init": _init_name(recipe.init)},
        "trained_on": _counts(photos, recipe),
        "runtime": f"onnxruntime {ort.__version__}",
        "figures": _rounded(figures),
    }
    card["gates_failed"] = [str(g) for g in gates(card["figures"]) if not g.passed]
    (run_folder / CARD).write_text(json.dumps(card, indent=1) + "\n")
    return Candidate(run_folder, card, said, tuning)


def install(candidate: Candidate, target: Path, force: bool = False) -> None:
    """Copy the candidate over the shipped model if every gate passes.

    Raises click.ClickException naming the gates that failed; `force` installs all the same and
    leaves their names in `leaf.json`.
    """
    failed = [str(g) for g in candidate.gates if not g.passed]
    if failed and not force:
        raise click.ClickException(f"the model in {target} stays: " + "; ".join(failed))
    Model.load(candidate.folder).self_check()
    target.mkdir(parents=True, exist_ok=True)
    for name in (GRAPH, CARD):
        shutil.copyfile(candidate.folder / name, target / name)


def read_recipe(run_folder: Path) -> Recipe:
    """Raises click.ClickException when nothing was trained there."""
    path = run_folder / "recipe.json"
    if not path.is_file():
        raise click.ClickException(f"nothing trained in {run_folder}: run `train` first")
    return Recipe(**json.loads(path.read_text()))


def _against_float(
    path: Path, said: dict[str, Answers], figures: dict[str, Any]
) -> dict[str, float]:
    session = open_graph(path)
    five = len(LABELS)
    same, drops = [], []
    for name, key in (("leaves", "macro_f1_clean"), ("noisy", "macro_f1_noisy"), ("field", "")):
        answers = said[name]
        predicted = run(session, answers.shot.squares)[:, :five].argmax(axis=1)
        same.append(predicted == answers.predicted)
        if key:
            drops.append(macro_f1(answers.shot.targets, predicted, five) - figures[key])
    return {
        "f1_drop": max(0.0, *drops),
        "agreement": float(np.concatenate(same).mean()),
        "float_bytes": path.stat().st_size,
    }


def _counts(photos: Sequence[Photo], recipe: Recipe) -> dict[str, Any]:
    learnt = recipe.photos(list(photos))
    return {
        "photos": dict(sorted(Counter(f"{p.pool}/{p.kind}" for p in learnt).items())),
        "validation": len(list(select(photos, "validation"))),
        "origins": dict(sorted(Counter(p.origin for p in learnt).items())),
        "licences": dict(sorted(Counter(p.licence for p in learnt).items())),
    }


def _init_name(init: str) -> str:
    return Path(init).name


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return round(float(value), 5)
    return value
