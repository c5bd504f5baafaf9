"""The reference's artefact and path, built here so that ratios are taken in one process.

Stock MobileNetV3-Small (Hardswish, squeeze-and-excitation) with five outputs, FP32 convolutions,
dynamic INT8 of MatMul and Gemm alone, 224 px, and the preprocessing that goes with it: decode in
full, stretch to a square, float copy, ImageNet mean and deviation. Its weights are whatever the
initialiser gives: speed, size and memory do not depend on them.

Building needs torch and onnx (requirements-training.txt) once; the file is kept in `build/`, and
from then on `reference_predict` needs only what the service needs.
"""

from __future__ import annotations

import io
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from PIL import Image

ARTEFACT = Path(__file__).parent.parent / "build" / "reference" / "reference.onnx"
SIDE = 224
LABELS = ("bean_spot", "cassava_mosaic", "healthy", "maize_blight", "maize_rust")
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def build(path: Path = ARTEFACT) -> Path:
    """Build the artefact if it is not there. SystemExit with one line when torch is missing."""
    if path.is_file():
        return path
    try:
        import torch
        from onnxruntime.quantization import QuantType, quantize_dynamic

        from training.vision import mobilenet_v3_small
    except ImportError as error:
        raise SystemExit(
            f"building the reference needs requirements-training.txt once ({error})"
        ) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path.with_name("reference_fp32.onnx")
    torch.manual_seed(0)
    with warnings.catch_warnings(action="ignore"):  # torch's exporter warns about torch
        torch.onnx.export(
            mobilenet_v3_small(num_classes=len(LABELS)).eval(),
            (torch.zeros(1, 3, SIDE, SIDE),),
            plain,
            input_names=["input"],
            output_names=["logits"],
            opset_version=18,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    quantize_dynamic(
        plain, path, op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8
    )
    return path


@cache
def session() -> ort.InferenceSession:
    """The reference artefact, one thread, otherwise ONNX Runtime's defaults."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(build(), options, providers=["CPUExecutionProvider"])


def preprocess(photo: bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    """JPEG bytes to the float input (1, 3, 224, 224), the way the reference does it."""
    picture = Image.open(io.BytesIO(photo)).convert("RGB").resize((SIDE, SIDE))
    pixels = (np.asarray(picture, np.float32) / 255.0 - MEAN) / STD
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def reference_predict(photo: bytes) -> tuple[str, float]:
    """JPEG bytes to (label, softmax confidence)."""
    logits = session().run(None, {"input": preprocess(photo)})[0][0]
    e = np.exp(logits - logits.max())
    best = int(logits.argmax())
    return LABELS[best], float(e[best] / e.sum())


if __name__ == "__main__":
    sys.stdout.write(f"{build()}\n")
