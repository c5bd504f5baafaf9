"""What every fuzzer has in common: the corpus, the options, the run."""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

CORPUS = Path(__file__).with_name("corpus")
"""`NAME.zip`: inputs that earlier runs found, each of which reaches code that no other does."""


def fuzz(
    name: str, about: str, one: Callable[[bytes], None], seeds: Iterable[bytes], longest: int
) -> None:
    """Run until the time or the executions given are over. Does not return.

    A finding is written to `crash-*` in the current folder and ends the run with status 77.
    """
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=-1, help="executions, instead of seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, default=None, help="a folder that grows")
    parser.add_argument("--keep", action="store_true", help=f"write {name}.zip anew from it")
    chosen = parser.parse_args()
    folder = chosen.corpus or Path(tempfile.mkdtemp(prefix="leafline-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    kept = CORPUS / f"{name}.zip"
    if chosen.keep:
        _keep(kept, folder)
        return
    for number, data in enumerate(seeds):
        (folder / f"seed-{number:03}").write_bytes(data)
    if kept.exists():
        with zipfile.ZipFile(kept) as found:
            found.extractall(folder)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    options = (
        f"-max_total_time={chosen.seconds}" if chosen.runs < 0 else f"-runs={chosen.runs}",
        f"-max_len={longest}",
        f"-seed={chosen.seed}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-reload=0",
        "-len_control=0",
    )
    atheris.Setup([sys.argv[0], *options, str(folder)], one)
    atheris.Fuzz()


def _keep(kept: Path, folder: Path) -> None:
    """The files of `folder`, by name and with one date, so that the same are the same bytes."""
    kept.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as written:
        for path in sorted(folder.iterdir()):
            written.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)
