"""The benchmark of the model measures what the targets ask for."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from inference.drawn import draw_leaf

pytest.importorskip("torch")


def test_every_target_of_speed_is_measured(tmp_path: Path) -> None:
    from benchmarks import inference, reference
    from training.targets import TARGETS

    reference.build()
    found = inference.measure(1, draw_leaf("maize_rust"), 5, tmp_path)
    assert all(ours > 0 and theirs > 0 for ours, theirs in found.values())
    figures = {"speed": {name: {"ratio": ours / theirs} for name, (ours, theirs) in found.items()}}
    timed = [target for target in TARGETS if target.name.endswith("ratio")]
    assert len(timed) == 5
    assert not any(math.isnan(target.value(figures)) for target in timed)
