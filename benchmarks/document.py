"""Figures of a run, put between the marks of a document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path


def put(path: Path, mark: str, lines: Sequence[str]) -> None:
    """Replace what stands between `<!-- mark: begin -->` and `<!-- mark: end -->`.

    Raises: SystemExit when the document has no such marks.
    """
    begin, end = f"<!-- {mark}: begin -->", f"<!-- {mark}: end -->"
    block = "\n".join([begin, "", *lines, "", end])
    replaced, count = re.subn(
        re.escape(begin) + ".*?" + re.escape(end),
        lambda _: block,
        path.read_text(),
        flags=re.DOTALL,
    )
    if count != 1:
        raise SystemExit(f"{path} has no block {begin}")
    path.write_text(replaced)


def put_run(path: Path, mark: str, command: str, rows: Sequence[tuple[str, str]]) -> None:
    """The same with one run: its command, and what came of it row by row."""
    lines = [f"`{command}`", "", "| | |", "|---|---|"]
    put(path, mark, [*lines, *(f"| {name} | {value} |" for name, value in rows)])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown; its first column is words, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]
