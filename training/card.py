"""`docs/model-card.md`, with every figure filled in from `leaf.json`."""

from __future__ import annotations

import math
from pathlib import Path
from string import Template
from typing import Any

from training.costs import (
    ANSWERED,
    OFFICER,
    PREVALENCE,
    SECOND_PHOTO,
    WRONG_DESTRUCTIVE,
    WRONG_HARMLESS,
)
from training.evaluate import LEAVES_ADVISED, LEAVES_REJECTED, STRANGERS_ADVISED
from training.export import PERCENTILE
from training.sampling import DRAWN, SYNTHETIC
from training.targets import table

TEMPLATE = Path(__file__).with_name("model-card.template.md")
WITH_EXCITATION = """. Hardswish costs more in INT8
  than it gives; squeeze-and-excitation costs time and size and is kept because strangers
  are told apart better with it"""
WITHOUT_EXCITATION = " and without squeeze-and-excitation: both cost more in INT8 than they give"
FROM_THE_START = """Stock networks (teachers: {teachers}) were fine-tuned first
  and the student distilled from the mean of their logits, in the last epochs with INT8's rounding
  in the forward pass (`training/qat.py`)."""
FURTHER = """Its convolutions are those of the model named below, which was
  made from ImageNet's weights on a part of these photos (two stock networks fine-tuned, the student
  distilled from them, INT8's rounding in its last epochs). The head alone learnt on from what the
  convolutions make of {head_pictures} pictures, in {head_epochs} epochs: from what is right and for
  photos of the five from what the old head said of them too (`training/further.py`)."""
FROM_WEIGHTS = """. The weights file named here is initialised from Keras MobileNetV3Small
  ImageNet weights, dequantised from INT8, unless it is torchvision's own"""
VERDICTS = ("advice", "second_photo", "unknown", "no_leaf")


def write_card(card: dict[str, Any], path: Path) -> None:
    """Fill in the model card from `leaf.json`."""
    figures, recipe = card["figures"], card["recipe"]
    trained = card["trained_on"]
    field = figures["confusion_field"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
            version=card["version"],
            f1_clean=figures["macro_f1_clean"],
            f1_noisy=figures["macro_f1_noisy"],
            targets="\n".join(table(figures)),
            photos=", ".join(f"{n} {name}" for name, n in figures["photos"].items()),
            field_size=f"The field figures rest on {sum(map(sum, field))} photos, so one photo is "
            f"{100 / max(sum(map(sum, field)), 1):.0f} points.",
            beside=_table(_flat(figures["beside"]))
            if figures["beside"]
            else "Nothing else was run.",
            seeds=_seeds(figures),
            intervals=_table(
                {
                    name: {"measured": figures[name], **ends}
                    for name, ends in figures["intervals"].items()
                }
            ),
            ece=_number(figures["ece_leaves"]),
            honest_ece=_number(figures["honest_ece_leaves"]["mean"]),
            high_ece=_number(figures["honest_ece_leaves"]["high"]),
            quantisation=_table(figures["int8"]["table"]),
            kinds=_table(
                {
                    f"{kind}{'*' if kind in card['unseen_kinds'] else ''}": {
                        "AUROC": value,
                        "advised": figures["others_advised_by_kind"][kind],
                        "crop typed": figures["others_told_by_kind"][kind],
                    }
                    for kind, value in figures["auroc_by_kind"].items()
                }
            ),
            flow=_flow(figures["flow"]),
            answered=f"{ANSWERED:.0%}",
            prevalence=", ".join(f"{name} {share:.0%}" for name, share in PREVALENCE.items()),
            costs=f"{WRONG_DESTRUCTIVE:g} for wrong advice that destroys plants, "
            f"{WRONG_HARMLESS:g} for wrong advice that does not, {SECOND_PHOTO:g} for a second "
            f"photo, {OFFICER:g} for an officer's case",
            verdicts=_table(
                {
                    name: {v: counts.get(v, 0) for v in VERDICTS}
                    for name, counts in figures["verdicts"].items()
                }
            ),
            pairs=_table(figures["pairs"]),
            combining=_table(
                {
                    f"{pool}, {way}": values
                    for way, pools in figures["combining"].items()
                    for pool, values in pools.items()
                }
            ),
            excitation=WITH_EXCITATION if recipe["excitation"] else WITHOUT_EXCITATION,
            taught=(FURTHER if recipe.get("head_pictures") else FROM_THE_START).format(**recipe),
            apart=", ".join(f"`{name}`" for name in card.get("beside", ())) or "nothing more",
            init=f"`{recipe['init']}`" + ("" if recipe.get("head_pictures") else FROM_WEIGHTS),
            recipe=", ".join(f"{k} {v}" for k, v in recipe.items() if k != "init") + ".",
            side=card["side"],
            trained_side=recipe["side"],
            grid=card["side"] // 32,
            percentile=PERCENTILE,
            leaves_advised=f"{LEAVES_ADVISED:.0%}",
            strangers_advised=f"{STRANGERS_ADVISED:.0%}",
            leaves_rejected=f"{LEAVES_REJECTED:.0%}",
            drawn=f"{SYNTHETIC:.0%} of the pictures are made up as examples of no leaf (drawn "
            "things, photos in impossible colours, leaf shapes cut out of something else), and "
            f"{DRAWN:.1%} are leaves drawn by `inference.drawn`, so that the demonstration works. "
            "Photos of none of the five are mixed with each other and turned in hue.",
            temperature=card["temperature"],
            candidates=", ".join(
                f"{v:.3f} ({k})" for k, v in figures["unknown_score_candidates"].items()
            ),
            thresholds=", ".join(f"{k} {v}" for k, v in card["thresholds"].items()),
            trained=sum(trained["photos"].values()),
            validation=trained["validation"],
            data=_table({k: {"photos": v} for k, v in trained["photos"].items()}),
            licences="\n".join(
                f"- {k or 'not stated'}: {v}" for k, v in trained["licences"].items()
            ),
            africa=", ".join(f"{k} {v:.2f} right" for k, v in figures["field_africa"].items())
            or "none at hand",
        ),
        encoding="utf-8",
    )


def _flow(flow: dict[str, Any]) -> str:
    groups = list(flow["one_photo"]["by_group"])
    rows = {
        name.replace("_", " "): {
            "wrong of 100": one["wrong_of_100"],
            "from": one["wrong_of_100_low"],
            "to": one["wrong_of_100_high"],
            "right of 100": one["right_of_100"],
            **{f"{group}, wrong": one["by_group"][group]["wrong"] for group in groups},
            "known, right": one["by_group"]["known"]["right"],
        }
        for name, one in flow.items()
    }
    return _table(rows)


def _seeds(figures: dict[str, Any]) -> str:
    if not figures.get("seeds"):
        return "One seed: the spread over seeds has not been measured."
    return (
        "Runs of this recipe with their own seeds, this one among them; the one to ship was\n"
        "chosen by validation photos (`python -m training choose`), not by these test figures.\n"
        "What to expect of new photos is the mean, not the shipped run's own figures.\n\n"
        + _table(figures["seeds"])
    )


def _flat(runs: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        name: {k: v for k, v in figures.items() if not isinstance(v, dict)}
        for name, figures in runs.items()
    }


def _table(rows: dict[str, dict[str, Any]]) -> str:
    heads = list(next(iter(rows.values())))
    lines = [f"| | {' | '.join(heads)} |", "|" + "---|" * (len(heads) + 1)]
    lines += [
        f"| {name} | {' | '.join(_number(values[h]) for h in heads)} |"
        for name, values in rows.items()
    ]
    return "\n".join(lines)


def _number(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    return str(value)
