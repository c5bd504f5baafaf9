"""The trained model in use: load it, prove that it is the right one, judge photos."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from inference import attention, heatmap, quality, verdict
from inference.card import CARD, FOLDER, GRAPH, Card, ModelError, read, read_card
from inference.picture import PictureError, Pixels, decode_square
from inference.verdict import Verdict

__all__ = ["CARD", "FOLDER", "GRAPH", "Model", "ModelError", "known_square", "read_card"]

HEAD_OUTPUTS = tuple(
    f"head_{name}_{part}" for name in ("w1", "w2") for part in ("quantized", "scale")
)

# Known answers may differ this much: CPUs without 8-bit dot products round elsewhere.
SELF_CHECK_TOLERANCE = 0.35

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """What the graph says of one square. logits: (labels + beside + 1,); features: (channels, rows,
    columns); hidden: (units,), the head's first layer after ReLU."""

    logits: Logits
    features: NDArray[np.float32]
    hidden: NDArray[np.float32]


class Model:
    """An ONNX Runtime session and what is needed to understand its answers.

    Make it in the process that uses it, never before a fork. One thread: a machine runs one
    process a core. A session may be shared by threads.
    """

    def __init__(self, session: ort.InferenceSession, card: dict[str, Any]) -> None:
        self._session = session
        self.card = card
        self.side = int(card["side"])
        self.temperature = float(card["temperature"])
        self.said = said = Card.of(card)
        self.version, self.labels, self.thresholds = said.version, said.labels, said.thresholds
        self._head: attention.Head | None = None

    @classmethod
    def load(cls, folder: Path | None = None) -> Model:
        """Load `leaf.onnx` and `leaf.json` from a folder, by default the shipped one.

        Raises ModelError when a file is missing or damaged or the two do not belong together.
        """
        folder = folder or FOLDER
        card = read_card(folder)
        graph = read(folder / GRAPH)
        if hashlib.sha256(graph).hexdigest() != card["sha256"]:
            raise ModelError(
                f"{folder / GRAPH} is not the file that {CARD} describes (checksum differs): "
                "restore both from the same version."
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        try:
            session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            return cls(session, card)
        except Exception as error:  # ONNX Runtime's own exceptions share no base class
            raise ModelError(f"{folder / GRAPH} cannot be loaded: {error}") from error

    def judge(self, photo: bytes) -> Verdict:
        """The verdict on one photo; a bad picture is the verdict `unreadable`, not an error."""
        started = time.perf_counter()
        try:
            square = decode_square(photo, self.side)
        except PictureError as error:
            return verdict.unreadable(error.code, str(error), self.version, _since(started))
        return self.judge_square(square, started)

    def judge_square(self, square: Pixels, started: float | None = None) -> Verdict:
        """The verdict on a decoded square, uint8 (side, side, 4)."""
        started = started or time.perf_counter()
        reading = self.read(square)
        seen = quality.measure(square)
        probabilities, unknown = self.calibrated(reading.logits)
        closest = int(reading.logits.argmax()) - len(self.labels)
        best = int(probabilities.argmax())
        cam = self.head.grad_cam(reading.features, reading.hidden, best)
        confidence = float(probabilities[best])
        ranked = [(self.labels[i], float(probabilities[i])) for i in probabilities.argsort()[::-1]]
        return Verdict(
            label=self.labels[best],
            confidence=confidence,
            probabilities=tuple(probabilities.tolist()),
            verdict=verdict.decide(
                self.labels[best], confidence, unknown, seen.plant, self.thresholds
            ),
            unknown_score=unknown,
            plant_fraction=seen.plant,
            quality=seen.names,
            rationale=attention.rationale(cam, seen.plant_mask, seen.names, ranked),
            latency_ms=_since(started),
            model=self.version,
            labels=self.labels,
            nearest=self.said.beside[closest] if 0 <= closest < len(self.said.beside) else None,
        )

    def heatmap(self, photo: bytes) -> bytes:
        """The photo with the attention for its best label laid over it, JPEG. PictureError."""
        reading = self.read(decode_square(photo, self.side))
        best = int(reading.logits[: len(self.labels)].argmax())
        return heatmap.heatmap(photo, self.head.grad_cam(reading.features, reading.hidden, best))

    def read(self, square: Pixels) -> Reading:
        """Run the graph on one square, uint8 (side, side, 4)."""
        outputs = ["logits", "features", "hidden"]
        return Reading(*(out[0] for out in self._session.run(outputs, {"pixels": square[None]})))

    def calibrated(self, logits: Logits) -> tuple[NDArray[np.float64], float]:
        """Probabilities of the labels, given that it is one of them, and that of none of them."""
        scaled = logits.astype(np.float64) / self.temperature
        scaled = np.exp(scaled - scaled.max())
        known = scaled[: len(self.labels)]
        return known / known.sum(), float(scaled[len(known) :].sum() / scaled.sum())

    @property
    def head(self) -> attention.Head:
        """The head's weights, read out of the graph once."""
        if self._head is None:
            blank = np.zeros((1, self.side, self.side, 4), np.uint8)
            stored = self._session.run(HEAD_OUTPUTS, {"pixels": blank})
            self._head = attention.Head(
                *(_dequantise(q, s) for q, s in zip(stored[::2], stored[1::2], strict=True))
            )
        return self._head

    def self_check(self) -> None:
        """Prove that this machine computes what the model's maker did. Raises ModelError."""
        expected = np.array(self.card["self_check"], np.float32)
        logits = self.read(known_square(self.side)).logits
        if not np.allclose(logits, expected, atol=SELF_CHECK_TOLERANCE):
            worst = float(np.abs(logits - expected).max())
            raise ModelError(
                f"the model gives a wrong answer on a known picture (off by {worst:.2f}): "
                "its file or this machine's ONNX Runtime is not the one it was made for."
            )


def known_square(side: int) -> Pixels:
    """A made-up picture for the self-check; plain arithmetic, the same on every machine."""
    y, x = np.mgrid[:side, :side]
    channels = (x * 2 + y, 255 - (x ^ y), (x * y) >> 4, x * 0)
    return (np.stack(channels, axis=2) & 255).astype(np.uint8)


def _dequantise(stored: NDArray[Any], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    return stored.astype(np.float32) * scale.reshape(-1, *[1] * (stored.ndim - 1))


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
