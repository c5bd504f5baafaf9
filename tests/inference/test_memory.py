"""What one worker needs at most: docs and the compose file rely on these ceilings."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

PROGRAM = """
import sys
from pathlib import Path
from inference.guard import guard
from inference.model import Model
from inference.picture import normalise
def peak(process):
    print(Path(f"/proc/{process}/status").read_text().split("VmHWM:")[1].split()[0])
model, photo = Model.load(), open(sys.argv[1], "rb").read()
verdict = model.judge(photo)
assert verdict.problem is None, verdict
normalise(photo)
peak("self")
peak(guard._process.pid)
"""
ASKING_MB = 160
"""Of the process that asks, with the model and the photo's own bytes."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("kind", "mode", "size", "ceiling_mb"),
    [
        ("JPEG", "RGB", (4000, 3000), 160),
        ("JPEG", "RGB", (8160, 6144), 260),
        ("PNG", "RGB", (8160, 6144), 600),
        ("PNG", "RGBA", (8160, 6144), 600),
        ("PNG", "LA", (8160, 6144), 600),
        ("PNG", "I;16", (8160, 6144), 600),
        ("GIF", "P", (8160, 6144), 600),
        ("WEBP", "RGBA", (5000, 5000), 600),
    ],
)
def test_the_largest_photos_stay_under_the_ceiling(
    tmp_path: Path, kind: str, mode: str, size: tuple[int, int], ceiling_mb: int
) -> None:
    path = tmp_path / "photo"
    Image.linear_gradient("L").resize(size).convert(mode).save(
        path, kind, compress_level=1, method=0
    )
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True
    )
    asking, decoding = (int(line) / 1024 for line in done.stdout.split())
    assert asking < ASKING_MB
    assert decoding < ceiling_mb
