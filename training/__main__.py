"""`python -m training`: from a folder of photos to an installed model, step by step or all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from inference.model import FOLDER, read_card
from training import package
from training.card import write_card
from training.data import DataError, Photo, read_manifest, read_splits, split, write_splits
from training.downloads import SOURCES
from training.downloads import download as write_photos
from training.leaks import find_leaks, perceptual_hashes
from training.report import write_report
from training.targets import TARGETS, describe
from training.train import Recipe
from training.train import train as train_run

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of photos with manifest.csv.",
)
RUN = click.option(
    "--run",
    "run_folder",
    type=click.Path(path_type=Path),
    default=Path("runs/leaf"),
    show_default=True,
    help="Where splits, checkpoints and results go.",
)


MODEL_CARD = Path("docs/model-card.md")


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `train`, shared with `all`."""
    for option in (
        click.option(
            "--init",
            default="imagenet",
            show_default=True,
            help="imagenet (downloaded), none, a safetensors file, or the folder of an installed "
            "model, whose head learns on.",
        ),
        click.option("--seed", default=0, show_default=True),
        click.option(
            "--teachers",
            type=click.IntRange(min=1),
            default=Recipe.teachers,
            show_default=True,
            help="Networks that the student learns from, together.",
        ),
        click.option("--teacher-epochs", default=Recipe.teacher_epochs, show_default=True),
        click.option("--student-epochs", default=Recipe.student_epochs, show_default=True),
        click.option("--qat-epochs", default=Recipe.qat_epochs, show_default=True),
        click.option(
            "--pictures",
            default=Recipe.pictures,
            show_default=True,
            help="Training pictures an epoch.",
        ),
        click.option(
            "--side", default=Recipe.side, show_default=True, help="Pixels of training pictures."
        ),
        click.option(
            "--served-side", default=Recipe.served_side, show_default=True, help="Of the graph."
        ),
        click.option(
            "--head-pictures",
            default=Recipe.head_pictures,
            show_default=True,
            help="Training pictures where an installed model's head learns on.",
        ),
        click.option("--excitation", is_flag=True, help="Keep squeeze-and-excitation."),
        click.option("--without-field", is_flag=True, help="No field photo in training."),
        click.option(
            "--without-noise", is_flag=True, help="No blur, brightness or JPEG augmentation."
        ),
        click.option("--device", default="cpu", show_default=True),
    ):
        command = option(command)
    return command


@click.group()
def main() -> None:
    """Prepare photos, train, quantise, evaluate, report."""


def _photos(data: Path, run_folder: Path) -> list[Photo]:
    try:
        return read_splits(data, run_folder / "splits.csv")
    except DataError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@DATA
@RUN
def prepare(data: Path, run_folder: Path) -> None:
    """Split the photos by group and check that nothing leaks from one split into another."""
    try:
        photos = split(read_manifest(data), data)
    except DataError as error:
        raise click.ClickException(str(error)) from error
    with click.progressbar(photos, label="hashing") as bar:
        hashes = np.stack([perceptual_hashes(p.path) for p in bar])
    leaks = find_leaks(photos, hashes)
    for leak in leaks[:20]:
        click.echo(str(leak), err=True)
    if leaks:
        raise click.ClickException(f"{len(leaks)} leaks between splits; nothing was written")
    write_splits(photos, data, run_folder / "splits.csv")
    click.echo(f"{len(photos)} photos, no leaks: {run_folder / 'splits.csv'}")


@main.command()
@DATA
@RUN
@recipe_options
def train(data: Path, run_folder: Path, device: str, **recipe: Any) -> None:
    """Train teachers and student; started again, it goes on where it stopped."""
    try:
        train_run(replace(Recipe(), **recipe), _photos(data, run_folder), run_folder, device)
    except DataError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@DATA
@RUN
def quantise(data: Path, run_folder: Path) -> None:
    """Export the student and quantise it to INT8 throughout."""
    package.quantise(run_folder, _photos(data, run_folder))


def measuring_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `evaluate`, shared with `report` and `all`."""
    for option in (
        click.option(
            "--benchmark",
            type=click.Path(path_type=Path, exists=True),
            help="What benchmarks.inference --json wrote.",
        ),
        click.option(
            "--beside",
            multiple=True,
            metavar="NAME=RUN",
            help="Another evaluated run to report beside this one; can be repeated.",
        ),
    ):
        command = option(command)
    return command


def installing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `evaluate` and `all` about the shipped model."""
    for option in (
        click.option("--target", type=click.Path(path_type=Path), default=FOLDER),
        click.option(
            "--force", is_flag=True, help="Install although a gate fails; leaf.json says so."
        ),
    ):
        command = option(command)
    return command


@main.command()
@DATA
@RUN
@measuring_options
@click.option("--install", is_flag=True, help="Replace the shipped model if all gates pass.")
@installing_options
def evaluate(
    data: Path, run_folder: Path, install: bool, force: bool, target: Path, **measuring: Any
) -> None:
    """Choose thresholds on validation, measure on test, print every figure and target."""
    candidate = _evaluate(data, run_folder, **measuring)
    if install:
        package.install(candidate, target, force)


@main.command()
@DATA
@RUN
@measuring_options
def report(data: Path, run_folder: Path, **measuring: Any) -> None:
    """Evaluate and write report.html with its pictures into the run's folder (shows photos)."""
    candidate = _evaluate(data, run_folder, **measuring)
    click.echo(f"report: {write_report(candidate, run_folder / 'report')}")


@main.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
def choose(runs: tuple[Path, ...]) -> None:
    """Say which of several evaluated runs to ship, by what validation photos say alone.

    The best is the one that gives most known photos their advice, leaves and field alike, where
    5 % of validation strangers are advised.
    """
    seen = {run: package.read_run(run)["validation"] for run in runs}
    for run, figures in seen.items():
        click.echo(f"{run}: " + "  ".join(f"{k} {v:.4f}" for k, v in figures.items()))
    click.echo(f"best: {max(seen, key=lambda run: seen[run]['helped'])}")


@main.command()
@DATA
@click.option("--model", type=click.Path(path_type=Path), default=FOLDER)
def remeasure(data: Path, model: Path) -> None:
    """Choose the lines of an installed model anew, on photos that came after its training too, and
    measure it again: no training."""
    figures = package.remeasure(model, split(read_manifest(data), data))["figures"]
    for target in TARGETS:
        click.echo(describe(target, figures))


@main.command()
@click.option("--model", type=click.Path(path_type=Path), default=FOLDER)
@click.option("--out", type=click.Path(path_type=Path), default=MODEL_CARD)
def card(model: Path, out: Path) -> None:
    """Write the model card from leaf.json."""
    write_card(read_card(model), out)
    click.echo(f"model card: {out}")


@main.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New folder of photos.")
@click.option("--per-class", default=500, show_default=True)
@click.option(
    "--from",
    "moved",
    multiple=True,
    metavar="NAME=REPOSITORY",
    help="Take a data set from another place; can be repeated.",
)
def download(out: Path, per_class: int, moved: tuple[str, ...]) -> None:
    """Download the public data sets with `datasets` into a folder that prepare understands."""
    places = dict(entry.partition("=")[::2] for entry in moved)
    names = [source.name for source in SOURCES]
    if not all(places.values()) or not set(places) <= set(names):
        raise click.BadParameter(f"NAME=REPOSITORY, where NAME is one of: {', '.join(names)}")
    sources = [replace(s, repository=places.get(s.name, s.repository)) for s in SOURCES]
    try:
        click.echo(f"{write_photos(out, sources, per_class)} photos: {out}")
    except DataError as error:
        raise click.ClickException(str(error)) from error


@main.command(name="all")
@DATA
@RUN
@recipe_options
@measuring_options
@installing_options
@click.option("--card", "card_path", type=click.Path(path_type=Path), default=MODEL_CARD)
@click.pass_context
def everything(
    context: click.Context,
    /,
    data: Path,
    run_folder: Path,
    target: Path,
    force: bool,
    card_path: Path,
    benchmark: Path | None,
    beside: tuple[str, ...],
    **recipe: Any,
) -> None:
    """Prepare, train, quantise, evaluate, report; if every gate passes, install and write the
    model card."""
    context.invoke(prepare, data=data, run_folder=run_folder)
    context.invoke(train, data=data, run_folder=run_folder, **recipe)
    context.invoke(quantise, data=data, run_folder=run_folder)
    candidate = _evaluate(data, run_folder, benchmark, beside)
    click.echo(f"report: {write_report(candidate, run_folder / 'report')}")
    package.install(candidate, target, force)
    click.echo(f"installed: {target}")
    write_card(candidate.card, card_path)
    click.echo(f"model card: {card_path}")


def _evaluate(
    data: Path, run_folder: Path, benchmark: Path | None, beside: tuple[str, ...]
) -> package.Candidate:
    others = {name: Path(folder) for name, _, folder in (b.partition("=") for b in beside)}
    candidate = package.evaluate(run_folder, _photos(data, run_folder), benchmark, others)
    figures = candidate.card["figures"]
    for name, value in figures.items():
        click.echo(f"{name}: {value}")
    for target in TARGETS:
        click.echo(describe(target, figures))
    return candidate


if __name__ == "__main__":
    main()
