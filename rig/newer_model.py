"""A stand-in for the next model: the shipped one with one label more, which purple leaves have."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from inference.card import CARD, FOLDER, GRAPH, read_card
from inference.model import Model, known_square

VERSION = "newer"
ROWS = "head_w2_quantized", "head_w2_scale"


def purple_leaf(seed: int = 0) -> bytes:
    """A sharp picture of the colour that the new label goes by, JPEG."""
    grey = np.random.default_rng(seed).integers(60, 120, (512, 512), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(np.stack([grey + 100, grey, grey + 100], axis=2)).save(out, "JPEG", quality=90)
    return out.getvalue()


def write(folder: Path, label: str) -> None:
    """Make `leaf.onnx` and `leaf.json` of a model that knows `label` after the others."""
    card = read_card()
    labels = [*card["labels"], label]
    outputs = [*labels, *card["outputs"][len(card["labels"]) :]]
    graph = _graph(onnx.load(FOLDER / GRAPH), len(card["labels"]), len(card["outputs"]))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GRAPH).write_bytes(graph)
    made = card | {
        "version": VERSION,
        "labels": labels,
        "outputs": outputs,
        "sha256": hashlib.sha256(graph).hexdigest(),
        "self_check": [0.0] * len(outputs),
    }
    _write_card(folder, made)
    model = Model.load(folder)
    made["self_check"] = model.read(known_square(model.side)).logits.tolist()
    _write_card(folder, made)


def _write_card(folder: Path, card: dict[str, Any]) -> None:
    (folder / CARD).write_text(json.dumps(card), "utf-8")


def _graph(model: Any, known: int, outputs: int) -> bytes:
    """The graph with one logit more behind the known: how much purple stands out of green."""
    graph = model.graph
    for node in graph.node:
        node.input[:] = [f"old_{name}" if name in ROWS else name for name in node.input]
        node.output[:] = ["old_logits" if name == "logits" else name for name in node.output]
    for stored in list(graph.initializer):
        if stored.name in ROWS:
            rows = np.insert(numpy_helper.to_array(stored), known, 0, axis=0)
            graph.initializer.append(numpy_helper.from_array(rows, stored.name))
            stored.name = f"old_{stored.name}"
    for name, values in (
        ("weights", np.array([[0.5], [-1], [0.5], [0]], np.float32)),
        ("least", np.array(50, np.float32)),
        ("middle", np.array([1, 2], np.int64)),
        ("before", np.arange(known)),
        ("last", np.arange(known, outputs)),
    ):
        graph.initializer.append(numpy_helper.from_array(values, f"new_{name}"))
    graph.node.extend(
        [
            helper.make_node("Cast", ["pixels"], ["new_pixels"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["new_pixels", "new_middle"], ["new_mean"], keepdims=0),
            helper.make_node("MatMul", ["new_mean", "new_weights"], ["new_purple"]),
            helper.make_node("Sub", ["new_purple", "new_least"], ["new_logit"]),
            helper.make_node("Gather", ["old_logits", "new_before"], ["new_first"], axis=1),
            helper.make_node("Gather", ["old_logits", "new_last"], ["new_rest"], axis=1),
            helper.make_node("Concat", ["new_first", "new_logit", "new_rest"], ["logits"], axis=1),
        ]
    )
    for output in graph.output:
        if output.name in ("logits", *ROWS):
            sizes = output.type.tensor_type.shape.dim
            sizes[1 if output.name == "logits" else 0].dim_value += 1
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
