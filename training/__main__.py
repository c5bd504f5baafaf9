"""`python -m training`: from a folder of photos to an installed model, step by step or all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from inference.model import FOLDER
from training import package
from training.data import DataError, Photo, read_manifest, read_splits, split, write_splits
from training.leaks import find_leaks, perceptual_hashes
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


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of `train`, shared with `all`."""
    for option in (
        click.option(
            "--init",
            default="imagenet",
            show_default=True,
            help="imagenet (downloaded), none, or a safetensors file.",
        ),
        click.option("--seed", default=0, show_default=True),
        click.option("--teacher-epochs", default=Recipe.teacher_epochs, show_default=True),
        click.option("--student-epochs", default=Recipe.student_epochs, show_default=True),
        click.option(
            "--pictures",
            default=Recipe.pictures,
            show_default=True,
            help="Training pictures an epoch.",
        ),
        click.option("--side", default=Recipe.side, show_default=True, help="Pixels."),
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
    """Train teacher and student; started again, it goes on where it stopped."""
    torch.set_num_threads(max(1, torch.get_num_threads()))
    train_run(replace(Recipe(), **recipe), _photos(data, run_folder), run_folder, device)


@main.command()
@DATA
@RUN
def quantise(data: Path, run_folder: Path) -> None:
    """Export the student and quantise it to INT8 throughout."""
    package.quantise(run_folder, _photos(data, run_folder))


@main.command()
@DATA
@RUN
@click.option("--install", is_flag=True, help="Replace the shipped model if all gates pass.")
@click.option("--force", is_flag=True, help="Install although a gate fails; leaf.json says so.")
@click.option("--target", type=click.Path(path_type=Path), default=FOLDER)
def evaluate(data: Path, run_folder: Path, install: bool, force: bool, target: Path) -> None:
    """Choose thresholds on validation, measure on test, print every figure and gate."""
    candidate = package.evaluate(run_folder, _photos(data, run_folder))
    for name, value in candidate.card["figures"].items():
        click.echo(f"{name}: {value}")
    for gate in candidate.gates:
        click.echo(str(gate))
    if install:
        package.install(candidate, target, force)


if __name__ == "__main__":
    main()
