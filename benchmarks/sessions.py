"""Ways to keep the shipped graph and to run it, as ratios to the way that is shipped.

    python -m benchmarks.sessions [--rounds 300]

One process, one thread, turn by turn. Shipped: `leaf.onnx` as it is, ONNX Runtime's optimisation
when it is loaded, its other options as they come. "optimised": the graph that this leaves, stored;
it holds kernels of this very machine. "ort": the same in ONNX Runtime's own format.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import onnxruntime as ort

from benchmarks.inference import interleaved
from inference.drawn import draw_leaf
from inference.model import FOLDER, GRAPH, Model
from inference.picture import decode_square

Options = dict[str, object]
NONE = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
BASIC = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC


def opened(graph: bytes | Path, **chosen: object) -> ort.InferenceSession:
    """A session of one thread with these options."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    for name, value in chosen.items():
        setattr(options, name, value)
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def stored(folder: Path) -> dict[str, tuple[bytes, Options]]:
    """Graph and options by name; the shipped way comes first."""
    shipped = FOLDER / GRAPH
    for suffix in ("onnx", "ort"):
        opened(shipped, optimized_model_filepath=str(folder / f"optimised.{suffix}"))
    graph = shipped.read_bytes()
    return {
        "shipped": (graph, {}),
        "optimised": ((folder / "optimised.onnx").read_bytes(), {"graph_optimization_level": NONE}),
        "ort": ((folder / "optimised.ort").read_bytes(), {"graph_optimization_level": NONE}),
        "basic optimisation": (graph, {"graph_optimization_level": BASIC}),
        "no arena": (graph, {"enable_cpu_mem_arena": False}),
        "no memory pattern": (graph, {"enable_mem_pattern": False}),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Graph formats and session options.")
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    square = decode_square(draw_leaf("maize_rust"), Model.load().side)[None]
    with tempfile.TemporaryDirectory() as folder:
        ways = stored(Path(folder))
    sessions = [opened(graph, **options) for graph, options in ways.values()]
    loading = interleaved(
        *(partial(opened, graph, **options) for graph, options in ways.values()),
        rounds=max(1, rounds // 10),
    )
    running = interleaved(
        *(partial(session.run, ["logits"], {"pixels": square}) for session in sessions),
        rounds=rounds,
    )
    print(f"{'':22}{'MB':>7}{'load, ms':>10}{'ratio':>8}{'run, ms':>10}{'ratio':>8}")
    for (name, (graph, _)), load, run in zip(ways.items(), loading, running, strict=True):
        print(
            f"{name:22}{len(graph) / 1e6:7.3f}"
            f"{load:10.2f}{load / loading[0]:8.2f}{run:10.3f}{run / running[0]:8.2f}"
        )


if __name__ == "__main__":
    main()
