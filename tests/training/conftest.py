"""A small folder of drawn leaves and things with a manifest, and one tiny run on it."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result

from inference.drawn import draw_leaf, draw_thing
from inference.labels import LABELS
from training.__main__ import main

torch.set_num_threads(1)  # the tests run side by side, and threads that wait for others spin


def write_photos(folder: Path, per_class: int = 12) -> Path:
    rows = []

    def add(pool: str, kind: str, number: int, data: bytes) -> None:
        path = folder / pool / kind / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        group = f"{pool}_{kind}_g{number // 2:03d}"
        rows.append((path.relative_to(folder).as_posix(), kind, pool, group, "drawn"))

    for number in range(per_class):
        for label in LABELS:
            add("leaves", label, number, draw_leaf(label, number))
        add("other", "face", number, draw_thing(number, "face"))
        add("other", "shapes", number, draw_thing(number, "shapes"))
        add("other", "nonleaf", number, draw_thing(number, "mottled"))
        for label in ("maize_blight", "maize_rust"):
            add("field", label, number, draw_leaf(label, 100 + number))
    add("field_africa", "healthy", 0, draw_leaf("healthy", 200))
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "class", "pool", "split_group", "licence"))
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


TINY = ("--init", "none", "--teacher-epochs", "1", "--student-epochs", "1", "--qat-epochs", "1",
        "--pictures", "64", "--side", "48", "--served-side", "64")  # fmt: skip


@dataclass(frozen=True)
class Everything:
    """One tiny run by `all`: what it said, where it is, and where it would have installed."""

    said: Result
    run: Path
    target: Path
    card: Path


@pytest.fixture(scope="session")
def everything(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Everything:
    folder = tmp_path_factory.mktemp("all")
    run_, target, card = folder / "run", folder / "model", folder / "card.md"
    said = run("all", "--data", photos, "--run", run_, *TINY, "--target", target, "--card", card)
    return Everything(said, run_, target, card)


@pytest.fixture(scope="session")
def trained(everything: Everything) -> Path:
    """A run that went through every step; it knows nothing, but everything is there."""
    assert (everything.run / "report" / "report.html").exists(), everything.said.output
    return everything.run
