"""A small folder of drawn leaves and things with a manifest, and one tiny run on it."""

import csv
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
        "--pictures", "128", "--side", "48", "--served-side", "64")  # fmt: skip


@pytest.fixture(scope="session")
def trained(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is prepared, trained and quantised; it knows nothing, but everything is there."""
    folder = tmp_path_factory.mktemp("run")
    for command, options in (("prepare", ()), ("train", TINY), ("quantise", ())):
        done = run(command, "--data", photos, "--run", folder, *options)
        assert done.exit_code == 0, done.output
    return folder
