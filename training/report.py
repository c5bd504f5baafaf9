"""One self-contained HTML page and its pictures, from one evaluated run. Shows photos of the data
set, so it belongs into a folder that is not published; the model card has figures only."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterator
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from inference.labels import LABELS
from inference.model import Model
from training import plots
from training.evaluate import Answers
from training.package import Candidate
from training.targets import TARGETS

PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Leafline model $version</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2a20; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2 { color: #2f5d3a; } img { max-width: 100%; }
table { border-collapse: collapse; } td, th { padding: .2rem .7rem; text-align: left;
  border-bottom: 1px solid #dde5da; } td.missed { color: #a3330f; font-weight: 600; }
figure { display: inline-block; margin: .4rem; width: 13.5rem; vertical-align: top; }
figcaption { font-size: .8rem; line-height: 1.3; }
</style></head><body>
<h1>Leafline model $version</h1>
<p>$intro</p>
<h2>Targets</h2>$targets
<h2>Confusion</h2>$confusion
<h2>Confidence</h2>$confidence
<h2>What it does not know</h2>$unknown
<h2>Quantisation</h2>$quantisation
<h2>Speed, ratio to the reference artefact</h2>$speed
<h2>Examples with attention</h2>$examples
<h2>Worst mistakes</h2>$mistakes
</body></html>
""")


def write_report(candidate: Candidate, folder: Path) -> Path:
    """Write `report.html` and one PNG a plot; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    figures, said = candidate.card["figures"], candidate.said
    model = Model.load(candidate.folder)
    known = {"leaves": said["leaves"], "leaves, field noise": said["noisy"], "field": said["field"]}
    drawn = {
        "confusion_leaves": plots.confusion_matrix(figures["confusion_leaves"], "Leaves"),
        "confusion_field": plots.confusion_matrix(figures["confusion_field"], "Field photos"),
        "reliability": plots.reliability(known),
        "risk_coverage": plots.risk_coverage(known),
        "unknown_roc": plots.unknown_roc(said["leaves"], said["field"], said["other"]),
        "threshold": plots.threshold_curve(
            candidate.tuning.curve, candidate.tuning.thresholds.advice_unknown
        ),
    }
    images = {}
    for name, figure in drawn.items():
        figure.savefig(folder / f"{name}.png", dpi=110)
        images[name] = _img((folder / f"{name}.png").read_bytes(), "image/png", name)
    photos = figures["photos"]
    page = PAGE.substitute(
        version=candidate.card["version"],
        intro=html.escape(
            f"Test photos: {photos}. Trained from {candidate.card['recipe']['init']}, seed "
            f"{candidate.card['recipe']['seed']}; temperature {candidate.card['temperature']}, "
            f"thresholds {candidate.card['thresholds']}."
        ),
        targets=_targets(candidate),
        confusion=images["confusion_leaves"] + images["confusion_field"],
        confidence=images["reliability"] + images["risk_coverage"],
        unknown=images["unknown_roc"]
        + images["threshold"]
        + _pairs_table(figures["auroc_by_kind"], "kind", "AUROC")
        + _pairs_table(figures["others_advised_by_kind"], "kind", "share given advice"),
        quantisation=_rows_table(figures["int8"]["table"]),
        speed=_rows_table(figures["speed"]),
        examples="".join(_examples(model, said)),
        mistakes="".join(_mistakes(model, said)),
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n")
    return path


def _targets(candidate: Candidate) -> str:
    figures = candidate.card["figures"]
    rows = "".join(
        f"<tr><td>{html.escape(t.name)}</td><td>{t.value(figures):.4g}</td><td>{t.must:g}</td>"
        f"<td>{t.aim:g}</td><td class='{t.state(figures)}'>{t.state(figures)}</td></tr>"
        for t in TARGETS
    )
    return f"<table><tr><th>figure<th>measured<th>must<th>aim<th></tr>{rows}</table>"


def _pairs_table(values: dict[str, float], key: str, name: str) -> str:
    rows = "".join(f"<tr><td>{html.escape(k)}</td><td>{v:.3f}</td></tr>" for k, v in values.items())
    return f"<table><tr><th>{key}<th>{name}</tr>{rows}</table>"


def _rows_table(rows: dict[str, dict[str, float]]) -> str:
    if not rows:
        return "<p>Not measured in this run.</p>"
    heads = list(next(iter(rows.values())))
    body = "".join(
        f"<tr><td>{html.escape(name)}</td>"
        + "".join(f"<td>{values[h]:.5g}</td>" for h in heads)
        + "</tr>"
        for name, values in rows.items()
    )
    return f"<table><tr><th>{''.join(f'<th>{h}' for h in heads)}</tr>{body}</table>"


def _examples(model: Model, said: dict[str, Answers]) -> Iterator[str]:
    """Two photos of each true class, from field where there are any."""
    for target in range(len(LABELS)):
        shown = 0
        for pool in ("field", "leaves"):
            for photo in said[pool].shot.photos:
                if photo.target == target and shown < 2:
                    shown += 1
                    yield _figure(model, photo.path, f"{photo.pool}/{photo.kind}")


def _mistakes(model: Model, said: dict[str, Answers], most: int = 12) -> Iterator[str]:
    """Wrong labels by confidence, then strangers given advice by how known they looked."""
    ranked: list[tuple[float, Path, str]] = []
    for pool in ("leaves", "field", "field_africa"):
        answers = said[pool]
        ranked += [
            (float(answers.confidence[i]), answers.shot.photos[i].path,
             f"{pool}/{answers.shot.photos[i].kind}")
            for i in np.flatnonzero(~answers.right)
        ]  # fmt: skip
    ranked.sort(key=lambda entry: -entry[0])
    other = said["other"]
    strangers = sorted(np.flatnonzero(other.advised), key=lambda i: other.unknown[i])
    for _, path, truth in ranked[:most]:
        yield _figure(model, path, truth)
    for i in strangers[:most]:
        yield _figure(model, other.shot.photos[i].path, f"other/{other.shot.photos[i].kind}")


def _figure(model: Model, path: Path, truth: str) -> str:
    photo = path.read_bytes()
    verdict = model.judge(photo)
    words = (
        f"{truth}: {verdict.label} {verdict.confidence:.2f}, {verdict.verdict}, unknown "
        f"{verdict.unknown_score:.2f}; {verdict.rationale}"
    )
    with Image.open(io.BytesIO(model.heatmap(photo))) as picture:
        small, out = picture.resize((224, 224)), io.BytesIO()
        small.save(out, "JPEG", quality=80)
    caption = html.escape(words)
    return f"<figure>{_img(out.getvalue(), 'image/jpeg', truth)}<figcaption>{caption}</figure>"


def _img(data: bytes, media: str, alt: str) -> str:
    coded = base64.b64encode(data).decode()
    return f'<img alt="{html.escape(alt)}" src="data:{media};base64,{coded}">'
