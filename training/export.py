"""From a trained student to an ONNX graph: float first, then INT8 throughout."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from torch import Tensor, nn

from inference.picture import Pixels
from inference.preprocess import PIXEL_MEAN, PIXEL_STD
from training.network import LeafNet

OPSET = 18
PERCENTILE = 99.999  # min-max ranges let single outliers ruin whole tensors
INPUT, OUTPUTS = "pixels", ["logits", "features", "hidden"]


class Exported(nn.Module):
    """A folded student as it is exported; input is normalised, four channels, NCHW."""

    def __init__(self, net: LeafNet) -> None:
        super().__init__()
        self.layers = copy.deepcopy(net).cpu()
        first = self.layers.net.features[0]
        stem, four = first[0], nn.Conv2d(4, first[0].out_channels, 3, 2, 1)
        with torch.no_grad():
            four.weight.zero_()
            four.weight[:, :3] = stem.weight
        four.bias = stem.bias
        first[0] = four

    def forward(self, normalised: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.layers.net.features(normalised)
        pooled = nn.functional.adaptive_avg_pool2d(features, 1).flatten(1)
        first, relu, _, last = self.layers.net.classifier
        hidden = relu(first(pooled))
        return last(hidden), features, hidden


def export(net: LeafNet, side: int, path: Path) -> None:
    """Write the folded network as it is: normalised floats, (1, 4, side, side), in."""
    with warnings.catch_warnings(action="ignore"):  # torch's exporter warns about torch
        torch.onnx.export(
            Exported(net).eval(),
            (torch.zeros(1, 4, side, side),),
            path,
            input_names=["normalised"],
            output_names=OUTPUTS,
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def write_float(plain: Path, side: int, path: Path) -> None:
    """The float graph from `export`'s: pixels (uint8, 1 x side x side x 4) in."""
    model = onnx.load(plain)
    scale = numpy_helper.from_array(np.array(PIXEL_STD, np.float32), "pixel_std")
    mean = numpy_helper.from_array(np.array(PIXEL_MEAN, np.float32), "pixel_mean")
    model.graph.initializer.extend([scale, mean])
    nodes = [
        helper.make_node("Cast", [INPUT], ["pixels_float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels_float"], ["pixels_nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Sub", ["pixels_nchw", "pixel_mean"], ["pixels_centred"]),
        helper.make_node("Div", ["pixels_centred", "pixel_std"], ["normalised"]),
    ]
    _replace_input(model, nodes, side)
    onnx.save(model, path)


def write_int8(plain: Path, side: int, path: Path, calibration: Iterable[Pixels]) -> None:
    """The INT8 graph from `export`'s: static QDQ by ONNX Runtime's quantizer, every layer.

    Weights are signed and per channel, activations unsigned with percentile ranges over
    `calibration`, pictures of (side, side, 4). The input stays raw uint8: the quantisation of the
    first convolution's input is the normalisation itself, scale 1 / PIXEL_STD, zero point
    PIXEL_MEAN.
    """
    with warnings.catch_warnings(action="ignore"):
        quantize_static(
            plain,
            path,
            _Reader(calibration),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={
                "CalibPercentile": PERCENTILE,
                "CalibMaxIntermediateOutputs": 64,
                "ActivationSymmetric": False,
            },
        )
    model = onnx.load(path)
    _raw_input(model, side)
    _strip(model)
    _show_head(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, pictures: Iterable[Pixels]) -> None:
        self._pictures: Iterator[Pixels] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        picture = next(self._pictures, None)
        if picture is None:
            return None
        values = (picture.astype(np.float32) - PIXEL_MEAN) / PIXEL_STD
        return {"normalised": values.transpose(2, 0, 1)[None]}


def _raw_input(model: onnx.ModelProto, side: int) -> None:
    """Replace the float input and its QuantizeLinear by raw NHWC bytes."""
    graph = model.graph
    quantise = next(
        n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == "normalised"
    )
    dequantise = next(n for n in graph.node if n.input[0] == quantise.output[0])
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(1 / PIXEL_STD, np.float32), "pixels_scale"),
            numpy_helper.from_array(np.array(PIXEL_MEAN, np.uint8), "pixels_zero"),
        ]
    )
    dequantise.input[:] = ["pixels_nchw", "pixels_scale", "pixels_zero"]
    graph.node.remove(quantise)
    _replace_input(
        model,
        [helper.make_node("Transpose", [INPUT], ["pixels_nchw"], perm=[0, 3, 1, 2])],
        side,
    )


def _show_head(model: onnx.ModelProto) -> None:
    """Make the head's stored weights outputs, for Grad-CAM; handing them out costs nothing."""
    graph = model.graph
    stored = {t.name: t for t in graph.initializer}
    for layer, name in (("classifier.0", "1"), ("classifier.3", "2")):
        for part in ("quantized", "scale"):
            old = next(n for n in stored if n.endswith(f"{layer}.weight_{part}"))
            new = f"head_w{name}_{part}"
            stored[old].name = new
            for node in graph.node:
                node.input[:] = [new if i == old else i for i in node.input]
            graph.output.append(
                helper.make_tensor_value_info(new, stored[old].data_type, stored[old].dims)
            )


def _replace_input(model: onnx.ModelProto, first: list[onnx.NodeProto], side: int) -> None:
    graph = model.graph
    for position, node in enumerate(first):
        graph.node.insert(position, node)
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info(INPUT, TensorProto.UINT8, [1, side, side, 4]))


def _strip(model: onnx.ModelProto) -> None:
    """Leave out what only a reader of the exporter's log needs, and unused tensors."""
    graph = model.graph
    del graph.value_info[:]
    del model.metadata_props[:]
    used = {name for node in graph.node for name in node.input}
    kept = [t for t in graph.initializer if t.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for entry in (*graph.input, *graph.output, *graph.initializer):
        entry.doc_string = ""
        del entry.metadata_props[:]
