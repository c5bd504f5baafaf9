"""Measure a model on photos it never saw: leaves, field, strangers, shortcuts, pairs.

Every figure comes from the exported graph as ONNX Runtime executes it. Thresholds and temperature
are chosen on the validation split (`tune`), figures are taken from the test split (`measure`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from inference import quality
from inference.labels import LABELS
from inference.picture import Pixels, decode
from inference.verdict import ADVICE, Thresholds, Verdict, combine, decide
from training import costs, flow
from training.calibration import (
    Array,
    auroc,
    confusion,
    expected_calibration_error,
    fit_temperature,
    macro_f1,
    softmax,
)
from training.chance import honest_error, interval
from training.data import CLASSES, UNSEEN_KINDS, Photo, select
from training.shots import Shot, shoot, shoot_noisy, shoot_shortcuts, shoot_views

FIVE = len(LABELS)

# Each label has a line of its own, where its advice costs least (`training.costs`). The common line
# is for a label of which validation has no photos. It lies in the middle of those at which
# LEAVES_ADVISED of the validation leaves are advised and no more than STRANGERS_ADVISED of its
# strangers; where none does both, strangers decide, because wrong advice costs a farmer more than a
# second photo.
LEAVES_ADVISED = 0.97
STRANGERS_ADVISED = 0.15
# A leaf is told "unknown" outright only beyond the score that this share of known photos reach.
LEAVES_REJECTED = 0.01
NO_LEAF_FRACTION = 0.10
CHOSEN_AT = 0.05  # strangers advised, where runs are compared
CONFIDENCE = 0.6
FIELD_VIEWS = 8  # of a validation photo from the field: there are few
OTHER_VIEWS = 6


def open_graph(path: Path) -> ort.InferenceSession:
    """A single-threaded session."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(session: ort.InferenceSession, squares: Sequence[Pixels]) -> Array:
    """Logits (n, outputs) for (side, side, 4) squares."""
    rows = [session.run(["logits"], {"pixels": s[None]})[0][0] for s in squares]
    outputs = next(o.shape[1] for o in session.get_outputs() if o.name == "logits")
    return np.array(rows, np.float64).reshape(-1, outputs)


PairFigures = dict[str, dict[str, float]]  # of each pool, see `pairs`
CurvePoint = tuple[float, float, float, float]  # threshold; share advised of other, leaves, field


@dataclass(frozen=True)
class Tuning:
    """What validation decided, and the curve it decided from."""

    temperature: float
    thresholds: Thresholds
    scores: dict[str, float]  # AUROC of each candidate for the unknown score
    curve: list[CurvePoint]
    validation: dict[str, float]  # what a run is chosen by; no test photo has a say
    combining: dict[str, PairFigures]  # what each way to combine two photos gives, by its name


def none_of_five(logits: Array, temperature: float) -> Array:
    """Probability of all outputs behind the five together, along the last axis."""
    beyond: Array = softmax(logits / temperature)[..., FIVE:].sum(axis=-1)
    return beyond


def unknown_scores(logits: Array, temperature: float) -> dict[str, Array]:
    """The candidates for the unknown score, higher is stranger. `none` is the one shipped."""
    five = logits[:, :FIVE] / temperature
    return {
        "none": none_of_five(logits, temperature),
        "1 - max softmax": 1 - softmax(five).max(axis=1),
        "energy": -np.log(np.exp(five).sum(axis=1)),
        "-max logit": -five.max(axis=1),
    }


def tune(session: ort.InferenceSession, photos: Sequence[Photo], side: int) -> Tuning:
    """Choose temperature and thresholds on the validation split."""
    leaves = list(select(photos, "validation", pool="leaves"))
    shots = {
        "leaves": shoot(leaves, side),
        "noisy": shoot_noisy(leaves, side, seed=3),
        "field": shoot_views(list(select(photos, "validation", pool="field")), side, FIELD_VIEWS),
        "other": shoot_views(list(select(photos, "validation", pool="other")), side, OTHER_VIEWS),
    }
    logits = {name: run(session, shot.squares) for name, shot in shots.items()}
    known = [name for name in ("leaves", "noisy", "field") if len(logits[name])]
    # A photo from the field weighs as much as one picture of a leaf, for all its views.
    weight = {"leaves": 1.0, "noisy": 1.0, "field": 1 / FIELD_VIEWS}
    weights = np.concatenate([np.full(len(logits[n]), weight[n]) for n in known])
    temperature = fit_temperature(
        np.concatenate([logits[n][:, :FIVE] for n in known]),
        np.concatenate([shots[n].targets for n in known]),
        weights,
    )
    scores = {name: unknown_scores(rows, temperature) for name, rows in logits.items()}
    sure = {
        name: softmax(rows[:, :FIVE] / temperature).max(axis=1) >= CONFIDENCE
        for name, rows in logits.items()
    }

    def advised(name: str, threshold: float) -> float:
        if not len(sure[name]):
            return 0.0
        return float((sure[name] & (scores[name]["none"] < threshold)).mean())

    grid = np.round(np.linspace(0.02, 0.98, 97), 4)
    curve = [
        (float(t), advised("other", t), advised("leaves", t), advised("field", t)) for t in grid
    ]
    advice = advice_threshold(curve)
    candidates = {
        name: auroc(
            np.concatenate([scores[n][name] for n in known if n != "noisy"]), scores["other"][name]
        )
        for name in scores["leaves"]
    }
    beyond = np.quantile(
        np.concatenate([scores[n]["none"] for n in known]),
        1 - LEAVES_REJECTED,
        weights=weights,
        method="inverted_cdf",
    )
    reject = min(max(advice, float(beyond), 0.5), 0.99)
    views = weight | {"other": 1 / OTHER_VIEWS}
    names = [name for name in (*known, "other") if len(logits[name])]
    by_label = costs.lines(
        np.concatenate([shots[n].kinds for n in names]),
        np.concatenate([shots[n].targets for n in names]),
        np.concatenate([logits[n][:, :FIVE].argmax(axis=1) for n in names]),
        np.concatenate([sure[n] for n in names]),
        np.concatenate([scores[n]["none"] for n in names]),
        np.concatenate([np.full(len(logits[n]), views[n]) for n in names]),
    )
    thresholds = Thresholds(CONFIDENCE, advice, reject, NO_LEAF_FRACTION, by_label)
    return Tuning(
        temperature,
        thresholds,
        candidates,
        curve,
        {
            **{
                f"{name}_right": _mean(logits[name][:, :FIVE].argmax(axis=1) == shots[name].targets)
                for name in known
            },
            "auroc": candidates["none"],
            "helped": _helped(curve),
        },
        _ways_to_combine(
            {name: judged(shots[name], logits[name], temperature, thresholds) for name in known},
            thresholds,
        ),
    )


def _ways_to_combine(said: dict[str, Answers], thresholds: Thresholds) -> dict[str, PairFigures]:
    ways = {"mean of log-probabilities": combine, "mean of probabilities": combine_by_mean}
    return {name: pairs(said, thresholds, way) for name, way in ways.items()}


def combine_by_mean(verdicts: Sequence[Verdict], thresholds: Thresholds) -> Verdict:
    """The plain way that `inference.verdict.combine` is measured against: means of the
    probabilities and of the unknown scores."""
    probabilities = np.mean([v.probabilities for v in verdicts], axis=0)
    label, confidence = LABELS[int(probabilities.argmax())], float(probabilities.max())
    unknown = float(np.mean([v.unknown_score for v in verdicts]))
    plant = max(v.plant_fraction for v in verdicts)
    return replace(
        verdicts[0],
        label=label,
        confidence=confidence,
        verdict=decide(label, confidence, unknown, plant, thresholds),
    )


def _helped(curve: list[CurvePoint]) -> float:
    """Known photos given advice, leaves and field alike, where few strangers are."""
    at = max((row for row in curve if row[1] <= CHOSEN_AT), default=curve[0])
    return (at[2] + at[3]) / 2


def advice_threshold(curve: list[CurvePoint]) -> float:
    """The threshold in the middle of those that bear both errors (see LEAVES_ADVISED), or the
    highest that strangers allow."""
    bearable = [row for row in curve if row[1] <= STRANGERS_ADVISED] or curve[:1]
    both = [row for row in bearable if row[2] >= LEAVES_ADVISED] or bearable[-1:]
    return both[len(both) // 2][0]


@dataclass(frozen=True)
class Answers:
    """What model, temperature and thresholds say of a shot."""

    shot: Shot
    logits: Array
    verdicts: tuple[Verdict, ...]

    @property
    def predicted(self) -> NDArray[np.int64]:
        best: NDArray[np.int64] = self.logits[:, :FIVE].argmax(axis=1)
        return best

    @property
    def right(self) -> NDArray[np.bool_]:
        same: NDArray[np.bool_] = self.predicted == self.shot.targets
        return same

    @property
    def confidence(self) -> Array:
        return np.array([v.confidence for v in self.verdicts])

    @property
    def unknown(self) -> Array:
        return np.array([v.unknown_score for v in self.verdicts])

    @property
    def advised(self) -> NDArray[np.bool_]:
        return np.array([v.verdict == ADVICE for v in self.verdicts], bool)

    def kinds(self) -> NDArray[np.str_]:
        return self.shot.kinds


def answer(session: ort.InferenceSession, shot: Shot, tuning: Tuning) -> Answers:
    """Run and judge a shot."""
    return judged(shot, run(session, shot.squares), tuning.temperature, tuning.thresholds)


def judged(shot: Shot, logits: Array, temperature: float, thresholds: Thresholds) -> Answers:
    """A shot and its logits with verdicts; rationale and latency are left out."""
    verdicts = []
    for row, pixels in zip(logits, shot.squares, strict=True):
        p = softmax(row[:FIVE] / temperature)
        unknown = float(none_of_five(row, temperature))
        seen = quality.measure(pixels)
        verdicts.append(
            Verdict(
                label=LABELS[int(p.argmax())],
                confidence=float(p.max()),
                probabilities=tuple(p.tolist()),
                verdict=decide(
                    LABELS[int(p.argmax())], float(p.max()), unknown, seen.plant, thresholds
                ),
                unknown_score=unknown,
                plant_fraction=seen.plant,
                quality=seen.names,
                rationale="",
                latency_ms=0.0,
                model="",
                labels=LABELS,
            )
        )
    return Answers(shot, logits, tuple(verdicts))


def measure(
    session: ort.InferenceSession, photos: Sequence[Photo], side: int, tuning: Tuning
) -> tuple[dict[str, Any], dict[str, Answers]]:
    """All figures on test and unseen photos, and the answers they were taken from."""
    leaves = list(select(photos, "test", pool="leaves"))
    strangers = [p for p in photos if p.pool == "other" and p.split in ("test", "unseen")]
    shots = {
        "leaves": shoot(leaves, side),
        "noisy": shoot_noisy(leaves, side),
        "field": shoot(list(select(photos, "test", pool="field")), side),
        "field_africa": shoot(list(select(photos, "unseen", pool="field_africa")), side),
        "other": shoot(strangers, side),
    }
    scenes = [decode(p.path.read_bytes()) for p in strangers[:: max(1, len(strangers) // 60)]]
    shots["shortcuts"] = shoot_shortcuts(leaves, scenes, side)
    said = {name: answer(session, shot, tuning) for name, shot in shots.items()}
    return figures(said, tuning), said


def figures(said: dict[str, Answers], tuning: Tuning) -> dict[str, Any]:
    """The measured figures by name; shares are 0..1."""
    leaves, field, other = said["leaves"], said["field"], said["other"]
    known_unknown = np.concatenate([leaves.unknown, field.unknown])
    unseen = np.isin(other.kinds(), sorted(UNSEEN_KINDS))
    objects = other.kinds() == "nonleaf"
    out: dict[str, Any] = {
        "photos": {name: len(a.verdicts) for name, a in said.items()},
        "macro_f1_clean": macro_f1(leaves.shot.targets, leaves.predicted, FIVE),
        "macro_f1_noisy": macro_f1(said["noisy"].shot.targets, said["noisy"].predicted, FIVE),
        "field": _by_kind(field, field.right),
        "field_pooled": _mean(field.right),
        "field_africa": _by_kind(said["field_africa"], said["field_africa"].right),
        "auroc_all": auroc(known_unknown, other.unknown),
        "auroc_leaves": auroc(leaves.unknown, other.unknown),
        "auroc_unseen": auroc(known_unknown, other.unknown[unseen]),
        "auroc_by_kind": {
            kind: auroc(known_unknown, other.unknown[other.kinds() == kind])
            for kind in sorted(set(other.kinds().tolist()))
        },
        "others_advised": _mean(other.advised),
        "others_advised_by_kind": _by_kind(other, other.advised),
        "objects_advised": _mean(other.advised[objects]),
        "unseen_advised": _mean(other.advised[unseen]),
        "leaves_accepted": _mean(leaves.advised),
        "field_accepted": _mean(field.advised),
        "ece_leaves": expected_calibration_error(leaves.confidence, leaves.right),
        "ece_field": expected_calibration_error(field.confidence, field.right),
        "verdicts": {
            name: dict(Counter(v.verdict for v in answers.verdicts))
            for name, answers in said.items()
        },
        "objects_verdicts": dict(
            Counter(v.verdict for v, o in zip(other.verdicts, objects, strict=True) if o)
        ),
        "confusion_leaves": confusion(leaves.shot.targets, leaves.predicted, FIVE).tolist(),
        "confusion_field": confusion(field.shot.targets, field.predicted, FIVE).tolist(),
        "pairs": pairs({name: said[name] for name in ("noisy", "field")}, tuning.thresholds),
    }
    everybody = [said[name] for name in ("leaves", "field", "other")]
    told = [
        flow.told(verdict, kind, typed=True) is not None
        for verdict, kind in zip(other.verdicts, other.kinds(), strict=True)
    ]
    out["others_told_by_kind"] = _by_kind(other, np.array(told, bool))
    out["told_apart"] = told_apart(
        np.concatenate([one.logits for one in everybody]),
        np.concatenate([one.shot.targets for one in everybody]),
    )
    out["flow"] = flow.figures(
        [photo for answers in everybody for photo in answers.shot.photos],
        [verdict for answers in everybody for verdict in answers.verdicts],
        tuning.thresholds,
    )
    out["intervals"] = intervals(said)
    out["honest_ece_leaves"] = honest_error(leaves.confidence)
    shortcuts = said["shortcuts"]
    rust = shortcuts.shot.targets == LABELS.index("maize_rust")
    out["rust_on_photos"] = _mean(shortcuts.right[rust])
    out["others_on_black"] = _mean(shortcuts.right[~rust])
    out["others_on_black_called_rust"] = _mean(
        shortcuts.predicted[~rust] == LABELS.index("maize_rust")
    )
    return out


def told_apart(logits: Array, targets: NDArray[np.int64]) -> dict[str, float]:
    """Balanced accuracy among all conditions of each crop that have an output, the crop known."""
    found = {}
    for crop in costs.CROPS:
        names = [i for i, name in enumerate(CLASSES) if costs.crop_of(name) == crop]
        mine = np.isin(targets, names)
        if logits.shape[1] == len(CLASSES) and mine.any():
            best = np.array(names)[logits[mine][:, names].argmax(axis=1)]
            right = best == targets[mine]
            kinds = [i for i in names if (targets == i).any()]
            found[crop] = float(np.mean([right[targets[mine] == i].mean() for i in kinds]))
    return found


def intervals(said: dict[str, Answers]) -> dict[str, dict[str, float]]:
    """95 % intervals of some figures: what other photos of the same kinds might have shown."""

    def f1(name: str) -> tuple[float, float]:
        targets, predicted = said[name].shot.targets, said[name].predicted
        return interval(
            said[name].shot.photos, lambda rows: macro_f1(targets[rows], predicted[rows], FIVE)
        )

    def advised(name: str) -> tuple[float, float]:
        return interval(said[name].shot.photos, lambda rows: _mean(said[name].advised[rows]))

    between = {
        "macro_f1_clean": f1("leaves"),
        "macro_f1_noisy": f1("noisy"),
        "leaves_accepted": advised("leaves"),
        "field_accepted": advised("field"),
        "others_advised": advised("other"),
    }
    return {name: {"low": low, "high": high} for name, (low, high) in between.items()}


def pairs(
    said: dict[str, Answers],
    thresholds: Thresholds,
    together: Callable[[Sequence[Verdict], Thresholds], Verdict] = combine,
) -> PairFigures:
    """One photo against two of one class: wrong labels, and known leaves refused advice."""
    rng = np.random.default_rng(1)
    out = {}
    for name, answers in said.items():
        groups = defaultdict(list)
        for i, target in enumerate(answers.shot.targets.tolist()):
            groups[target].append(i)
        wrong, refused, count = 0, 0, 0
        for target, members in groups.items():
            if len(members) < 2:
                continue
            for _ in range(8 * len(members)):
                first, second = rng.choice(members, 2, replace=False)
                both = together([answers.verdicts[first], answers.verdicts[second]], thresholds)
                wrong += both.label != LABELS[target]
                refused += both.verdict != ADVICE
                count += 1
        out[name] = {
            "one_wrong": 1 - _mean(answers.right),
            "two_wrong": wrong / max(count, 1),
            "one_refused": 1 - _mean(answers.advised),
            "two_refused": refused / max(count, 1),
        }
    return out


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _by_kind(answers: Answers, values: NDArray[Any]) -> dict[str, float]:
    kinds = answers.kinds()
    return {kind: _mean(values[kinds == kind]) for kind in sorted(set(kinds.tolist()))}
