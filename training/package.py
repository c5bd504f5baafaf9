"""Turn a trained run into `inference/model`: quantise, tune, measure, pass the gates, install."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import QuantType, quantize_dynamic

from inference.labels import BESIDE, LABELS
from inference.model import CARD, GRAPH, Model, known_square, read_card
from inference.picture import decode_square
from training.calibration import auroc, macro_f1
from training.data import CLASSES, UNSEEN_KINDS, Photo, select
from training.evaluate import (
    Answers,
    Tuning,
    measure,
    open_graph,
    run,
    tune,
    unknown_scores,
)
from training.explain import compare
from training.export import export, write_float, write_int8
from training.targets import failed_gates
from training.train import Recipe, load_student

CALIBRATION_PICTURES = 256

SETTINGS = ("left_out", "teachers", "training_pictures")  # of a run, beside its figures

INTEGER_LAYERS = {"QLinearConv", "QGemm", "ConvInteger", "MatMulInteger", "QLinearMatMul"}
FLOAT_LAYERS = {"Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"}


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


def quantise(run_folder: Path, photos: Sequence[Photo]) -> None:
    """Write `float.onnx` and `leaf.onnx` beside the trained weights."""
    recipe = read_recipe(run_folder)
    net = load_student(recipe, run_folder)
    learning = recipe.photos(list(photos))
    rng = np.random.default_rng(recipe.seed)
    chosen = rng.choice(len(learning), min(CALIBRATION_PICTURES, len(learning)), replace=False)
    pictures = [decode_square(learning[i].path.read_bytes(), recipe.served_side) for i in chosen]
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        export(net, recipe.served_side, plain)
        write_float(plain, recipe.served_side, run_folder / "float.onnx")
        write_int8(plain, recipe.served_side, run_folder / GRAPH, pictures)


def evaluate(
    run_folder: Path,
    photos: Sequence[Photo],
    benchmark: Path | None = None,
    beside: Mapping[str, Path] | None = None,
) -> Candidate:
    """Tune on validation, measure on test, and write the candidate's `leaf.json`.

    benchmark: what `benchmarks.inference --json` wrote. beside: other evaluated runs to report
    next to this one, such as one without field photos, by name. Without them, what an earlier
    evaluation of the same graph was told stays.
    """
    recipe = read_recipe(run_folder)
    path = run_folder / GRAPH
    session = open_graph(path)
    tuning = tune(session, photos, recipe.served_side)
    figures, said = measure(session, photos, recipe.served_side, tuning)
    kinds = layer_kinds(path)
    figures["bytes"] = path.stat().st_size
    figures["float_layers"] = sum(kinds[k] for k in FLOAT_LAYERS)
    figures["integer_layers"] = sum(kinds[k] for k in INTEGER_LAYERS)
    figures["int8"] = quantisation_table(run_folder, said, tuning.temperature)
    figures["unknown_score_candidates"] = tuning.scores
    figures["combining"] = tuning.combining
    squares = said["field"].shot.squares[:6] + said["leaves"].shot.squares[:6]
    figures["grad_cam"] = compare(load_student(recipe, run_folder), squares)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    figures |= _told_before(run_folder, digest)
    if benchmark is not None:
        figures["speed"] = _speed(benchmark)
    if beside:
        figures |= _compared(recipe, figures, {n: read_run(run) for n, run in beside.items()})
    card = {
        "version": f"{datetime.now(UTC):%Y-%m-%d}-{digest[:8]}",
        "sha256": digest,
        "labels": list(LABELS),
        "beside": list(BESIDE),
        "outputs": list(CLASSES),
        "side": recipe.served_side,
        "temperature": round(tuning.temperature, 4),
        "thresholds": _rounded(asdict(tuning.thresholds)),
        "self_check": run(session, [known_square(recipe.served_side)])[0].tolist(),
        "recipe": _named(recipe),
        "unseen_kinds": sorted(UNSEEN_KINDS),
        "trained_on": _counts(photos, recipe),
        "runtime": f"onnxruntime {ort.__version__}",
        "validation": _rounded(tuning.validation),
        "figures": _rounded(figures),
    }
    card["gates_failed"] = failed_gates(card["figures"])
    (run_folder / CARD).write_text(json.dumps(card, indent=1) + "\n")
    return Candidate(run_folder, card, said, tuning)


def remeasure(folder: Path, photos: Sequence[Photo]) -> dict[str, Any]:
    """Choose the lines of the model in `folder` anew, measure it again, and rewrite its card.

    For photos that came after its training: the split moves none of those that it learnt from.
    Figures that need the trained weights or a benchmark stay as they were measured.
    """
    before = read_card(folder)
    session = open_graph(folder / GRAPH)
    tuning = tune(session, photos, before["side"])
    figures, _ = measure(session, photos, before["side"], tuning)
    figures |= {"unknown_score_candidates": tuning.scores, "combining": tuning.combining}
    figures = before["figures"] | _rounded(figures)
    card: dict[str, Any] = before | {
        "version": f"{datetime.now(UTC):%Y-%m-%d}-{before['sha256'][:8]}",
        "temperature": round(tuning.temperature, 4),
        "thresholds": _rounded(asdict(tuning.thresholds)),
        "unseen_kinds": sorted(UNSEEN_KINDS),
        "validation": _rounded(tuning.validation),
        "figures": figures,
        "gates_failed": failed_gates(figures),
    }
    (folder / CARD).write_text(json.dumps(card, indent=1) + "\n")
    return card


def install(candidate: Candidate, target: Path, force: bool = False) -> None:
    """Copy the candidate over the shipped model if every gate passes.

    Raises click.ClickException naming the gates that failed; `force` installs all the same and
    leaves their names in `leaf.json`.
    """
    failed = candidate.card["gates_failed"]
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


def quantisation_table(
    run_folder: Path, said: dict[str, Answers], temperature: float
) -> dict[str, Any]:
    """FP32, the reference's head-only dynamic INT8 and full INT8, on the same test photos."""
    plain, head_only = run_folder / "float.onnx", run_folder / "head_only.onnx"
    quantize_dynamic(
        plain, head_only, op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8
    )
    rows = {}
    predicted = {}
    for name, path in (
        ("FP32", plain),
        ("head-only INT8", head_only),
        ("INT8", run_folder / GRAPH),
    ):
        session = open_graph(path)
        logits = {
            pool: run(session, said[pool].shot.squares)
            for pool in ("leaves", "noisy", "field", "other")
        }
        unknown = {pool: unknown_scores(rows, temperature)["none"] for pool, rows in logits.items()}
        labels = {
            pool: logits[pool][:, : len(LABELS)].argmax(axis=1)
            for pool in ("leaves", "noisy", "field")
        }
        predicted[name] = np.concatenate(list(labels.values()))
        rows[name] = {
            "bytes": path.stat().st_size,
            "macro_f1_clean": macro_f1(said["leaves"].shot.targets, labels["leaves"], len(LABELS)),
            "macro_f1_noisy": macro_f1(said["noisy"].shot.targets, labels["noisy"], len(LABELS)),
            "auroc": auroc(np.concatenate([unknown["leaves"], unknown["field"]]), unknown["other"]),
            "agreement": float((predicted[name] == predicted["FP32"]).mean()),
        }
    drops = [rows["FP32"][k] - rows["INT8"][k] for k in ("macro_f1_clean", "macro_f1_noisy")]
    return {
        "f1_drop": max(0.0, *drops),
        "agreement": rows["INT8"]["agreement"],
        "table": rows,
    }


def _counts(photos: Sequence[Photo], recipe: Recipe) -> dict[str, Any]:
    learnt = recipe.photos(list(photos))
    return {
        "photos": dict(sorted(Counter(f"{p.pool}/{p.kind}" for p in learnt).items())),
        "validation": len(list(select(photos, "validation"))),
        "origins": dict(sorted(Counter(p.origin for p in learnt).items())),
        "licences": dict(sorted(Counter(p.licence for p in learnt).items())),
    }


def _told_before(run_folder: Path, digest: str) -> dict[str, Any]:
    """The figures that an earlier evaluation of this graph took from elsewhere."""
    told: dict[str, Any] = {"speed": {}, "beside": {}}
    path = run_folder / CARD
    before = json.loads(path.read_text()) if path.is_file() else {}
    if before.get("sha256") == digest:
        told |= {k: v for k, v in before["figures"].items() if k in ("speed", "beside", "seeds")}
    return told


def _compared(
    recipe: Recipe, figures: dict[str, Any], cards: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """The figures of other runs, and the spread over those that differ by their seed alone."""
    own = {"recipe": _named(recipe), "figures": figures}
    twins = [c for c in cards.values() if {**c["recipe"], "seed": recipe.seed} == own["recipe"]]
    return {
        "beside": {name: _essence(card) for name, card in cards.items()},
        "seeds": _spread([_essence(one) for one in (own, *twins)]) if twins else {},
    }


def _speed(benchmark: Path) -> dict[str, Any]:
    measured = json.loads(benchmark.read_text())
    return {
        name: {"ours": ours, "reference": theirs, "ratio": ours / theirs}
        for name, (ours, theirs) in measured.items()
    }


def read_run(run_folder: Path) -> dict[str, Any]:
    """`leaf.json` of an evaluated run. Raises click.ClickException when it was not evaluated."""
    path = run_folder / CARD
    if not path.is_file():
        raise click.ClickException(f"{run_folder} has no {CARD}: run `evaluate` there first")
    card: dict[str, Any] = json.loads(path.read_text())
    return card


def _essence(card: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of a run that are worth a line beside another's."""
    figures, recipe = card["figures"], card["recipe"]
    names = ("macro_f1_clean", "macro_f1_noisy", "field_pooled", "auroc_all", "auroc_unseen",
             "leaves_accepted", "field_accepted", "others_advised", "objects_advised",
             "others_on_black", "rust_on_photos")  # fmt: skip
    taught = recipe["teachers"] * recipe["teacher_epochs"]
    epochs = taught + recipe["student_epochs"] + recipe["qat_epochs"]
    pictures = epochs * recipe["pictures"] + recipe.get("head_pictures", 0)
    left_out = [name for name in ("noise", "field") if recipe[f"without_{name}"]]
    return {
        "left_out": " and ".join(left_out) or "nothing",
        "teachers": recipe["teachers"],
        "training_pictures": pictures,
        **{name: figures[name] for name in names},
    }


def _spread(runs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean, standard deviation, lowest and highest of runs that differ by their seed alone."""
    measured = [name for name in runs[0] if name not in SETTINGS]
    table = {name: np.array([run[name] for run in runs]) for name in measured}
    return {
        name: {
            "runs": len(values),
            "mean": float(values.mean()),
            "sd": float(values.std(ddof=1)),
            "lowest": float(values.min()),
            "highest": float(values.max()),
        }
        for name, values in table.items()
    }


def _named(recipe: Recipe) -> dict[str, Any]:
    """The recipe with the name of its starting weights, not where they lay."""
    return {**asdict(recipe), "init": Path(recipe.init).name}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.5g}")
    return value
