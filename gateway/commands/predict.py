"""`leafline predict`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.settings import Settings
from inference.model import Model
from inference.picture import SUFFIXES
from inference.verdict import reference_json


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a photo.")
def predict(paths: tuple[Path, ...], as_json: bool) -> None:
    """Say what the model thinks of photos; folders are searched."""
    model = Model.load(Settings.read().model)
    for path in _photos(paths):
        verdict = model.judge(path.read_bytes())
        if as_json:
            click.echo(json.dumps({"path": str(path), **reference_json(verdict)}))
        else:
            label = f"{verdict.label} {verdict.confidence:.2f}" if verdict.label else "-"
            click.echo(f"{path}: {verdict.verdict}, {label}; {verdict.rationale}")


def _photos(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
        else:
            yield path
