"""`python -m benchmarks.season`"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import document, season
from benchmarks.season.habits import OPERATOR, cast
from benchmarks.season.play import Play
from benchmarks.season.telling import figures, transcript
from gateway.context import Context
from gateway.settings import Settings
from rig import servers
from rig.house import UNBOUNDED


@contextmanager
def house(folder: Path, redis_url: str) -> Iterator[Context]:
    settings = Settings.read(
        home=folder,
        redis_url=redis_url,
        channel_keys="channel-key-of-the-season",
        operator_phone=OPERATOR,
        **{name.removeprefix("LEAFLINE_").lower(): 0 for name in UNBOUNDED},
    )
    context = Context.open(settings)
    context.store.migrate()
    try:
        yield context
    finally:
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(season.__doc__ or "").splitlines()[0])
    parser.add_argument("--farmers", type=int, default=200)
    parser.add_argument("--officers", type=int, default=6)
    parser.add_argument("--kiosks", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="document that takes figures and transcript")
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.redis_server() as redis_url,
        house(Path(folder), redis_url) as context,
    ):
        dice = random.Random(asked.seed)
        people = cast(context.store, dice, asked.farmers, asked.officers, asked.kiosks)
        play = Play(context, dice, people)
        took = play.play()
        lines = figures(play, took)
        print("\n".join(lines))
        print("\n".join(play.faults[:40]))
        if asked.write:
            document.put(asked.write, "season", [*lines, "", *transcript(play)])
    if play.faults:
        raise SystemExit(f"{len(play.faults)} faults")


if __name__ == "__main__":
    main()
