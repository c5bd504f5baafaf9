"""A copy of the program in a folder, to add something to it and start it, as a newcomer would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from gateway.settings import ROOT
from rig.house import OURS

PARTS = ("gateway", "inference", "simulator", "templates")


class Copy:
    """The program's own files, in a folder where they may be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "copy"
        for part in PARTS:
            shutil.copytree(
                ROOT / part, self.folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )

    def add(self, path: str, text: str) -> None:
        """Write a new file."""
        new = self.folder / path
        assert not new.exists(), f"{path} is there already"
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, "utf-8")

    def change(self, path: str, before: str, after: str) -> None:
        """Replace a passage that stands there once."""
        file = self.folder / path
        text = file.read_text("utf-8")
        assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {path}"
        file.write_text(text.replace(before, after), "utf-8")

    def command(self, *words: str) -> str:
        """What `leafline WORDS` of the copy prints; it must succeed."""
        return self._run("-m", "gateway", *words)

    def python(self, program: str) -> str:
        """What a program that imports the copy prints; it must succeed."""
        return self._run("-c", program)

    def refused(self, *words: str) -> str:
        """What `leafline WORDS` of the copy says when it fails, which it must, in so many words."""
        done = self._done("-m", "gateway", *words)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stderr

    def _run(self, *words: str) -> str:
        done = self._done(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _done(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not OURS.match(k)}
        # The copy before what tests share, which lies beside the original.
        path = f"{self.folder}{os.pathsep}{ROOT}"
        environment |= {"LEAFLINE_HOME": str(self.folder / "var"), "PYTHONPATH": path}
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
