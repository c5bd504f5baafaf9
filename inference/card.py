"""`leaf.json`, the model's card: who judges, which labels, at which thresholds.

Read without ONNX Runtime and numpy, for whoever decides from stored verdicts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from inference.verdict import Thresholds

FOLDER = Path(__file__).parent / "model"
GRAPH, CARD = "leaf.onnx", "leaf.json"
NEEDED = {"labels", "side", "version", "temperature", "thresholds", "sha256", "self_check"}


class ModelError(Exception):
    """The model cannot be used; the message is one sentence that says what is wrong."""


@dataclass(frozen=True)
class Card:
    """What of the card decides. labels: in the order of the outputs. beside: names of the outputs
    behind them, which the model only refuses, but for the last, `none`."""

    version: str
    labels: tuple[str, ...]
    thresholds: Thresholds
    beside: tuple[str, ...] = ()

    @classmethod
    def of(cls, card: dict[str, Any]) -> Self:
        return cls(
            str(card["version"]),
            tuple(card["labels"]),
            Thresholds(**card["thresholds"]),
            tuple(card.get("beside", ())),
        )

    @classmethod
    def read(cls, folder: Path | None = None) -> Self:
        """The card in a folder, by default the shipped one. Raises: ModelError."""
        return cls.of(read_card(folder))


def read_card(folder: Path | None = None) -> dict[str, Any]:
    """`leaf.json`: version, thresholds, provenance, measured figures. Raises ModelError."""
    path = (folder or FOLDER) / CARD
    try:
        card: dict[str, Any] = json.loads(read(path))
        if missing := NEEDED - set(card):
            raise ModelError(f"{path} lacks {', '.join(sorted(missing))}.")
        labels, beside = card["labels"], card.get("beside", [])
        names = [*labels, *beside]
        if not all(isinstance(name, str) and name for name in names) or not (
            len(labels) > 1 and len(set(names)) == len(names) == len(card["self_check"]) - 1
        ):
            raise ModelError(f"{path} lists classes that do not fit its outputs.")
        Card.of(card)
        return card
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged: {error}") from error


def read(path: Path) -> bytes:
    """The bytes of a file of the model. Raises: ModelError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"the model file {path} is missing.") from None
    except OSError as error:
        raise ModelError(f"the model file {path} cannot be read: {error.strerror}.") from error
